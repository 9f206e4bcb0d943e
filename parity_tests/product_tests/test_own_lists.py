"""Layers as people write them: lists of states, helpers that share names, gradients kept aside."""

import pytest

from handgrad.pipeline import check_file

GATES = """
import numpy as np

class Cell:
    def __init__(self, n_in, n_out):
        rng = np.random.default_rng(1)
        self.parameters = {"W": rng.standard_normal((n_in, n_out))}
        self.parameters["V"] = rng.standard_normal((n_in, n_out))
        self.gradients = {"W": np.zeros((n_in, n_out)), "V": np.zeros((n_in, n_out))}
        self.derived = {"x": [], "a": [], "g": [], "s": [np.zeros((2, n_out))]}

    def forward(self, xt):
        at = np.tanh(xt @ self.parameters["W"])
        gt = np.tanh(xt @ self.parameters["V"])
        st = self.derived["s"][-1] * gt + at
        self.derived["x"].append(xt)
        self.derived["a"].append(at)
        self.derived["g"].append(gt)
        self.derived["s"].append(st)
        return st

    def backward(self, dout, carry, t):
        xt, at, gt = (self.derived[name][t] for name in "xag")
        dst = dout + carry
        dat = dst * (1 - at**2)  # those of what goes into tanh
        dgt = dst * self.derived["s"][t] * (1 - gt**2)
        self.gradients["W"] += xt.T @ dat
        self.gradients["V"] += xt.T @ dgt
        dxt = dat @ self.parameters["W"].T + dgt @ self.parameters["V"].T
        return dxt, dst * gt

rng = np.random.default_rng(0)
X = [rng.standard_normal((2, 3)) for _ in range(3)]
upstream = [rng.standard_normal((2, 4)) for _ in range(3)]
cell = Cell(3, 4)
outputs = [cell.forward(x) for x in X]
loss = sum(np.sum(out * up) for out, up in zip(outputs, upstream))
dX, carry = [], 0.0
for t in (2, 1, 0):
    dxt, carry = cell.backward(upstream[t], carry, t)
    dX.append(dxt)
"""

FILTERS = """
import numpy as np

def layer(x, filt, bias):
    out = np.zeros((len(filt), x.shape[1]))
    k = 0
    while k < len(filt):
        for i in range(x.shape[1]):
            out[k, i] = weighted(x[:, i], filt[k]) + bias[k, 0]
        k += 1
    return out

def weighted(column, row):
    return np.sum(column * row)

def backward_of(dprev, x, filt):
    dout, dfilt, dbias = np.zeros(x.shape), np.zeros(filt.shape), np.zeros((len(filt), 1))
    for k in range(len(filt)):
        for i in range(x.shape[1]):
            dfilt[k] += dprev[k, i] * x[:, i]
            dout[:, i] += dprev[k, i] * filt[k]
        dbias[k] = np.sum(dprev[k])
    return dout, dfilt, dbias

def both(x, y, params):
    [f1, f2, b1, b2] = params
    h1 = layer(x, f1, b1)
    h1[h1 <= 0] = 0
    h2 = layer(h1, f2, b2)
    loss = np.sum((h2 - y) ** 2)
    dh2 = 2 * (h2 - y)
    dh1, df2, db2 = backward_of(dh2, h1, f2)
    dh1[h1 <= 0] = 0
    dx, df1, db1 = backward_of(dh1, x, f1)
    grads = [df1, df2, db1, db2]
    return grads, loss

rng = np.random.default_rng(0)
x, y = rng.standard_normal((3, 4)), rng.standard_normal((2, 4))
params = [rng.standard_normal(shape) for shape in ((2, 3), (2, 2), (2, 1), (2, 1))]
grads, loss = both(x, y, params)
"""

LOOKUP = """
import numpy as np

class Lookup:
    def __init__(self):
        self.parameters = {"W": np.random.default_rng(0).standard_normal((5, 3))}
        self.gradients = {"W": np.zeros((5, 3))}

    def forward(self, rows):
        self.rows = rows
        W = self.parameters["W"]
        return W[rows]

    def backward(self, dout):
        dW = np.zeros_like(self.parameters["W"])
        for n, row in enumerate(self.rows):
            dW[row] += dout[n]
        self.gradients["W"] += dW

rows = np.array([0, 2, 2, 4])
layer = Lookup()
out = layer.forward(rows)
dout = np.random.default_rng(1).standard_normal(out.shape)
layer.backward(dout)
"""


@pytest.fixture
def reports_of(tmp_path):
    """Give a function that checks a script, and returns the reports."""

    def reports(source):
        path = tmp_path / "mine.py"
        path.write_text(source, encoding="utf-8")
        return check_file(path)

    return reports


def wrong_lines(reports, source):
    """Return the lines of code that are called wrong."""
    lines = source.splitlines()
    return {
        lines[finding.line.number - 1].strip()
        for report in reports
        for finding in report.findings
        if finding.verdict == "wrong"
    }


@pytest.mark.parametrize("source", [GATES, FILTERS, LOOKUP])
def test_a_right_layer_matches(reports_of, source):
    (report,) = reports_of(source)
    assert report.verdict == "match", report.error or wrong_lines([report], source)
    assert any(finding.kind == "gradient" for finding in report.findings)


@pytest.mark.parametrize(
    ("source", "right", "wrong"),
    [
        (FILTERS, "dbias[k] = np.sum(dprev[k])", "dbias[k] = np.sum(dprev[k]) / 2"),
        (FILTERS, "dout[:, i] += dprev", "dout[:, i] -= dprev"),
        (LOOKUP, "dW[row] += dout[n]", "dW[row] = dout[n]"),
    ],
)
def test_a_wrong_line_is_named(reports_of, source, right, wrong):
    changed = source.replace(right, wrong)
    assert changed != source
    lines = wrong_lines(reports_of(changed), changed)
    assert any(wrong in line for line in lines), lines


def test_a_list_from_the_last_to_the_first_is_turned_round(reports_of):
    (report,) = reports_of(GATES)
    assert "The gradients of `X` are listed from the last to the first." in report.notes
    names = {finding.name for finding in report.findings}
    assert {"dX[0]", "dX[1]", "dX[2]"} <= names
