"""Right derivations in the layouts that people write: accepted where the numbers say so, and said.

The NumPy is in the styles that are about: samples in columns as in a well-known course, weights
as PyTorch keeps them, biases with an axis too many, variables of a script that went on.
"""

# ruff: noqa: N806

import numpy as np
import pytest
from torch import nn

from handgrad import check
from parity_tests.conftest import slow_but


class Net(nn.Module):
    def __init__(self, d_in=5, h=4, d_out=2):
        super().__init__()
        self.z1 = nn.Linear(d_in, h)
        self.a1 = nn.Tanh()
        self.z2 = nn.Linear(h, d_out)

    def forward(self, x):
        return self.z2(self.a1(self.z1(x)))


def wrong_of(report):
    return {finding.name for finding in report.findings if finding.verdict == "wrong"}


def said(report, words):
    return any(words in note for note in report.notes)


def in_columns(d_in=5, h=4, d_out=2, n=7, seed=0):
    """Samples in columns, `W @ X`, everything in dicts that go from function to function."""
    randn = np.random.RandomState(seed).randn
    X, Y = randn(d_in, n), randn(d_out, n)
    parameters = {
        "W1": randn(h, d_in),
        "b1": randn(h, 1),
        "W2": randn(d_out, h),
        "b2": randn(d_out, 1),
    }
    Z1 = np.dot(parameters["W1"], X) + parameters["b1"]
    A1 = np.tanh(Z1)
    Z2 = np.dot(parameters["W2"], A1) + parameters["b2"]
    cache = {"Z1": Z1, "A1": A1, "Z2": Z2, "loss": np.sum((Z2 - Y) ** 2)}
    dZ2 = 2 * (Z2 - Y)
    dA1 = np.dot(parameters["W2"].T, dZ2)
    dZ1 = np.multiply(dA1, 1 - np.power(A1, 2))
    grads = {
        "dZ2": dZ2,
        "dW2": np.dot(dZ2, A1.T),
        "db2": np.sum(dZ2, axis=1, keepdims=True),
        "dA1": dA1,
        "dZ1": dZ1,
        "dW1": np.dot(dZ1, X.T),
        "db1": np.sum(dZ1, axis=1, keepdims=True),
    }
    return {**parameters, **cache, **grads}, X, Y


# As many hidden units as features, then as many samples too, then all sizes alike.
SIZES = [(5, 4, 2, 7), (4, 4, 2, 7), (4, 4, 2, 4), (4, 4, 4, 4), (5, 4, 1, 7), (1, 4, 1, 7)]


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_samples_in_columns_are_told_by_the_numbers(sizes):
    run, X, Y = in_columns(*sizes)
    report = check(run, Net(*sizes[:3]), X, Y)
    assert report.ok
    assert {finding.verdict for finding in report.findings} == {"match"}
    assert said(report, "in columns")


@pytest.mark.parametrize("sizes", slow_but(SIZES, (5, 4, 2, 7), (4, 4, 4, 4)), ids=str)
def test_a_mistake_among_samples_in_columns_is_found(sizes):
    run, X, Y = in_columns(*sizes)
    net = Net(*sizes[:3])
    assert wrong_of(check({**run, "dW1": 2 * run["dW1"]}, net, X, Y)) == {"dW1"}
    assert wrong_of(check({**run, "dZ1": run["dA1"]}, net, X, Y)) == {"dZ1"}
    assert "db2" in wrong_of(check({**run, "db2": run["dZ2"].mean(1, keepdims=True)}, net, X, Y))
    if sizes[1] > 1 and sizes[0] == sizes[1]:  # square, so no shape gives it away
        assert wrong_of(check({**run, "dW1": run["dW1"].T}, net, X, Y)) == {"dW1"}


def as_pytorch_keeps_them(d_in=5, h=4, d_out=2, n=6):
    """`x @ w.T`, a bias with an axis of length 1, float32 as a tutorial has it or not."""
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(n, d_in)), rng.normal(size=(n, d_out))
    w1, w2 = rng.normal(size=(h, d_in)), rng.normal(size=(d_out, h))
    b1, b2 = np.full((1, h), 0.1), np.full((1, d_out), -0.2)
    z1 = x @ w1.T + b1
    a1 = np.tanh(z1)
    z2 = a1 @ w2.T + b2
    loss = np.sum((z2 - y) ** 2)
    dz2 = 2.0 * (z2 - y)
    dw2, db2 = dz2.T @ a1, dz2.sum(0, keepdims=True)
    da1 = dz2 @ w2
    dz1 = da1 * (1.0 - a1 * a1)
    dw1, db1 = dz1.T @ x, dz1.sum(0, keepdims=True)
    return {k: v for k, v in locals().items() if isinstance(v, np.ndarray | np.float64)}


@pytest.mark.parametrize("sizes", [(5, 4, 2), (4, 4, 2), (4, 4, 4)], ids=str)
def test_weights_as_out_in_and_biases_with_an_axis_too_many(sizes):
    run = as_pytorch_keeps_them(*sizes)
    report = check(run, Net(*sizes), run["x"], run["y"])
    assert report.ok
    assert {finding.verdict for finding in report.findings} == {"match"}
    assert said(report, "as (out, in)")
    assert said(report, f"b1 (1, {sizes[1]}) for ({sizes[1]},)")
    assert said(report, "Square") == (sizes[0] == sizes[1])
    for name in ("dw1", "dw2"):
        if run[name].shape[0] == run[name].shape[1]:
            assert wrong_of(check({**run, name: run[name].T}, Net(*sizes), run["x"], run["y"]))


def test_without_values_a_square_weight_is_as_in_a_product_from_the_left():
    rng = np.random.default_rng(2)
    x, y, w = rng.normal(size=(5, 3)), rng.normal(size=(5, 3)), rng.normal(size=(3, 3))
    run = {"w": w, "dw": x.T @ (2 * (x @ w - y))}
    report = check(run, nn.Linear(3, 3, bias=False), x, y)
    assert report.ok
    assert report.notes == ["Paired: w = weight.T"]


def test_square_weights_of_both_kinds_are_told_apart():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(6, 3)), rng.normal(size=(6, 3))
    w1, b1, w2, b2 = (rng.normal(size=s) for s in ((3, 3), 3, (3, 3), 3))
    z1 = x @ w1.T + b1
    a1 = np.tanh(z1)
    z2 = a1 @ w2 + b2
    dz2 = 2 * (z2 - y)
    dz1 = dz2 @ w2.T * (1 - a1**2)
    run = {"w1": w1, "b1": b1, "w2": w2, "b2": b2, "z1": z1, "a1": a1, "z2": z2}
    run |= {"dz2": dz2, "dz1": dz1, "dw1": dz1.T @ x, "dw2": a1.T @ dz2}
    report = check(run, Net(3, 3, 3), x, y)
    assert report.ok
    assert said(report, "by them, w1 = z1.weight.")


def test_a_wrong_forward_pass_is_no_reason_to_turn_anything():
    run = as_pytorch_keeps_them(4, 4, 4)
    right = {n: a.T if n in ("w1", "w2", "dw1", "dw2") else a for n, a in run.items()}
    net = Net(4, 4, 4)
    assert check(right, net, run["x"], run["y"]).ok
    report = check({**right, "z1": right["z1"] + 1}, net, run["x"], run["y"])
    assert report.first == "z1"
    assert not said(report, "Square")


def test_one_output_as_a_vector():
    """The logistic regression of a first course: w and y are vectors, b a number."""
    rng = np.random.default_rng(4)
    X = rng.normal(size=(20, 3))
    y = (rng.random(20) < 0.5).astype(int)
    w, b = rng.normal(size=3), 0.0
    z = X.dot(w) + b
    p = 1 / (1 + np.exp(-z))
    loss = -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean()
    dz = (p - y) / len(y)
    dw, db = X.T.dot(dz), dz.sum()
    net = nn.Sequential()
    net.add_module("z", nn.Linear(3, 1))
    net.add_module("p", nn.Sigmoid())
    run = {"w": w, "b": b, "z": z, "p": p, "loss": loss, "dz": dz, "dw": dw, "db": db}
    report = check(run, net, X, y, loss=nn.BCELoss())
    assert report.ok
    assert {f.verdict for f in report.findings} == {"match", "missing"}  # no dp
    assert wrong_of(check({**run, "db": dz.mean()}, net, X, y, loss=nn.BCELoss())) == {"db"}
    assert wrong_of(check({**run, "dw": dw[::-1]}, net, X, y, loss=nn.BCELoss())) == {"dw"}


def test_a_transposed_gradient_of_a_single_column_is_still_wrong():
    rng = np.random.default_rng(5)
    x, y, w = rng.normal(size=(6, 3)), rng.normal(size=(6, 1)), rng.normal(size=(3, 1))
    dw = x.T @ (2 * (x @ w - y))
    net = nn.Linear(3, 1, bias=False)
    assert check({"w": w, "dw": dw}, net, x, y).ok
    assert wrong_of(check({"w": w, "dw": dw.T}, net, x, y)) == {"dw"}
    assert check({"w": w, "dw": dw.ravel()}, net, x, y).ok


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_variables_from_after_the_update_are_judged_with_the_weights_before(dtype):
    run = {n: a.astype(dtype) for n, a in as_pytorch_keeps_them(n=12).items()}
    after = dict(run)
    for name in ("w1", "b1", "w2", "b2"):
        after[name] = run[name] - dtype(0.01) * run[f"d{name}"]
    report = check(after, Net(), run["x"], run["y"])
    assert report.ok
    assert said(report, "were updated after the values were computed, which fit b1 + 0.01 * db1")
    wrong = {**after, "dz1": run["da1"]}
    assert wrong_of(check(wrong, Net(), run["x"], run["y"])) == {"dz1"}


def test_one_number_is_no_evidence_of_an_update():
    x, y, w = np.array([[1.0], [2.0]]), np.zeros((2, 1)), np.array([[3.0]])
    run = {"w": w, "y_pred": 2 * x @ w, "dw": np.array([[60.0]])}
    assert "y_pred" in wrong_of(check(run, nn.Linear(1, 1, bias=False), x, y))


COLUMNS_FILE = """
import numpy as np
from torch import nn

def init(rng, n={n}):
    X, Y = rng.standard_normal((3, n)), rng.standard_normal((2, n))
    return {{"W": rng.standard_normal((2, 3)), "b": rng.standard_normal((2, 1))}}, X, Y

def forward(params, X, Y):
    assert X.shape[0] == 3 and params["b"].shape == (2, 1)
    Z = params["W"] @ X + params["b"]
    return {{"Z": Z, "loss": np.square(Z - Y).sum(), "kept": Y}}

def backward(params, X, Y, values):
    dZ = 2 * (values["Z"] - values["kept"])
    return {{"dZ": dZ, "dW": {line}, "db": dZ.sum(axis=1, keepdims=True)}}

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.Z = nn.Linear(3, 2)

    def forward(self, x):
        return self.Z(x)

reference = Net()
"""


def test_a_file_with_samples_in_columns_is_run_again_in_its_own_layout(tmp_path):
    from handgrad.load.file import opened
    from handgrad.pipeline import check_file
    from handgrad.run.hand_written import run_both

    path = tmp_path / "mine.py"
    path.write_text(COLUMNS_FILE.format(n=5, line="dZ @ X.T"))
    report = check_file(path)[0]
    assert report.error is None
    assert report.ok
    with opened(path) as (load,):  # as a pass in another dtype, or finite differences, run it
        network = load()
        values, grads = run_both(network, path)
        assert {n: a.shape for n, a in values.items()} == {"Z": (5, 2), "loss": ()}
        assert np.array_equal(grads["grad_Z"], network.quantities["grad_Z"])
        assert grads["grad_b"].shape == network.params["b"].shape == (2,)
    path.write_text(COLUMNS_FILE.format(n=5, line="2 * dZ @ X.T"))
    report = check_file(path)[0]
    assert report.first == "dW"
    assert any("the gradient of W is not the slope" in note for note in report.notes)
