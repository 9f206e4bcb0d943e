"""Scripts in Trask's style: no loss is written, and the updates compute the gradients."""

import pytest

from handgrad.pipeline import check_file

SQUARES = """
import numpy as np

def squash(z, deriv=False):
    if deriv:
        return z * (1 - z)
    return 1 / (1 + np.exp(-z))

rng = np.random.default_rng(0)
X, y = rng.standard_normal((6, 3)), rng.random((6, 2))
first, second = rng.standard_normal((3, 4)), rng.standard_normal((4, 2))
for iter in range(100000):
    l0 = X
    l1 = squash(np.dot(l0, first))
    l2 = squash(np.dot(l1, second))
    l2_error = y - l2
    if iter % 1000 == 0:
        print(np.mean(np.abs(l2_error)))
    l2_delta = l2_error * squash(l2, deriv=True)
    l1_error = l2_delta.dot(second.T)
    l1_delta = l1_error * squash(l1, deriv=True)
    second += 0.5 * l1.T.dot(l2_delta)
    first += 0.5 * l0.T.dot(l1_delta)
"""

ENTROPY = """
import numpy as np
rng = np.random.default_rng(0)
X, y = rng.standard_normal((6, 3)), rng.integers(0, 2, (6, 1))
first, second = rng.standard_normal((3, 4)), rng.standard_normal((4, 1))
step = 0
while step < 50000:
    hidden = np.tanh(X @ first)
    output = 1 / (1 + np.exp(-(hidden @ second)))
    delta = output - y
    delta_back = delta @ second.T * (1 - hidden**2)
    second -= 0.1 * (hidden.T @ delta)
    first -= 0.1 * (X.T @ delta_back)
    step += 1
"""

UPSTREAM = """
import numpy as np

class Scale:
    def forward(self, X):
        self.X = X
        out = X * self.gamma
        return out

    def backward(self, error):
        self.grad_gamma = np.sum(error * self.X, axis=0)
        return error * self.gamma

rng = np.random.default_rng(0)
layer = Scale()
layer.gamma = rng.standard_normal(4)
X, error = rng.standard_normal((5, 4)), rng.standard_normal((5, 4))
out = layer.forward(X)
dX = layer.backward(error)
"""


@pytest.fixture
def report_of(tmp_path):
    """Give a function that checks a script with one pass, and returns its report."""

    def report(source):
        path = tmp_path / "mine.py"
        path.write_text(source, encoding="utf-8")
        (found,) = check_file(path)
        return found

    return report


@pytest.mark.parametrize(
    ("source", "note"),
    [
        (SQUARES, "There is no loss: half the sum of the squares of `l2 - y` is taken."),
        (ENTROPY, "There is no loss: the binary cross entropy of `output` is taken."),
        (UPSTREAM, ""),
    ],
)
def test_a_right_script_matches(report_of, source, note):
    report = report_of(source)
    assert report.verdict == "match", report.error
    assert not note or note in report.notes
    assert sum(finding.kind == "gradient" for finding in report.findings) >= 2


@pytest.mark.parametrize(
    ("source", "right", "wrong"),
    [
        (SQUARES, "l1_error * squash(l1, deriv=True)", "l1_error * squash(l1)"),
        (SQUARES, "l2_error * squash(l2, deriv=True)", "l2_error * squash(l1[:, :2], True)"),
        (SQUARES, "l0.T.dot(l1_delta)", "np.tanh(l0).T.dot(l1_delta)"),
        (SQUARES, "second += 0.5", "second -= 0.5"),
        (UPSTREAM, "np.sum(error * self.X, axis=0)", "np.sum(error, axis=0)"),
    ],
)
def test_a_wrong_line_is_named(report_of, source, right, wrong):
    changed = source.replace(right, wrong)
    assert changed != source
    report = report_of(changed)
    lines = {finding.line.code for finding in report.findings if finding.verdict == "wrong"}
    assert any(wrong in line for line in lines), report.error or lines


def test_a_weight_that_is_used_after_its_update_is_no_gradient(report_of):
    lines = SQUARES.splitlines(keepends=True)
    update = next(line for line in lines if "second +=" in line)
    at = next(number for number, line in enumerate(lines) if "l1_error =" in line)
    moved = [line for line in lines if line != update]
    report = report_of("".join([*moved[:at], update, *moved[at:]]))
    assert report.verdict != "match"


NUMBERS = """
import numpy as np
params = {"w": 0.5, "b": 0.0}
rng = np.random.default_rng(0)
x, y = rng.standard_normal(8), rng.standard_normal(8)

def both(params, x, y):
    pred = params["w"] * x + params["b"]
    loss = np.mean((pred - y) ** 2)
    dpred = 2 * (pred - y) / len(x)
    return loss, {"w": np.sum(dpred * x), "b": np.sum(dpred)}

for epoch in range(10**9):
    loss, grads = both(params, x, y)
    for key in params:
        params[key] -= 0.1 * grads[key]
"""


def test_a_dict_of_numbers_is_one_of_parameters(report_of):
    report = report_of(NUMBERS)
    assert report.verdict == "match", report.error
    gradients = {finding.name for finding in report.findings if finding.kind == "gradient"}
    assert len(gradients) == 3
    wrong = report_of(NUMBERS.replace("np.sum(dpred * x)", "np.sum(dpred)"))
    assert [finding.name for finding in wrong.findings if finding.verdict == "wrong"] == ["w"]


HIDDEN = """
import numpy as np

class Net:
    def back(self, x, y):
        z = x @ self.w
        a = np.tanh(z)
        self.s = self.slope(z)
        delta = (a - y) ** 3 * self.s
        return [x.T @ delta]

    def slope(self, z):
        s = 1 - np.tanh(z) ** 2
        return s

rng = np.random.default_rng(0)
net = Net()
net.w = rng.standard_normal((3, 2))
x, y = rng.standard_normal((5, 3)), rng.standard_normal((5, 2))
nabla_w = net.back(x, y)
"""


def test_a_loss_that_nothing_tells_of_is_asked_for(report_of):
    report = report_of(HIDDEN)
    assert report.verdict == "error"
    assert "no loss was found" in report.error
