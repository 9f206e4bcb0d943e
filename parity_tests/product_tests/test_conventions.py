"""A multiple that gradients carry until the parameters' take it out: no mistake, and said so."""

# ruff: noqa: N806

import json
from types import SimpleNamespace

import numpy as np
import pytest
from torch import nn

from handgrad import check
from handgrad.compare.convention import multiple
from handgrad.run.precision import FLOAT64


class Planar(nn.Module):
    def __init__(self):
        super().__init__()
        self.Z1 = nn.Linear(2, 4)
        self.A1 = nn.Tanh()
        self.Z2 = nn.Linear(4, 1)
        self.A2 = nn.Sigmoid()

    def forward(self, x):
        return self.A2(self.Z2(self.A1(self.Z1(x))))


def layer_sizes(m=12):
    rng = np.random.default_rng(3)
    X = rng.standard_normal((2, m))
    Y = (rng.random((1, m)) > 0.4).astype(np.int64)
    params = {"W1": rng.standard_normal((4, 2)), "b1": np.zeros((4, 1))}
    params |= {"W2": rng.standard_normal((1, 4)), "b2": np.zeros((1, 1))}
    return X, Y, params


def course(lines=()):
    """One hidden layer as a course has it: `dZ2 = A2 - Y`, and `1 / m` in each dW and db."""
    X, Y, p = layer_sizes()
    m = X.shape[1]
    W1, b1, W2, b2 = p["W1"], p["b1"], p["W2"], p["b2"]
    Z1 = np.dot(W1, X) + b1
    A1 = np.tanh(Z1)
    Z2 = np.dot(W2, A1) + b2
    A2 = 1 / (1 + np.exp(-Z2))
    loss = -np.sum(np.multiply(np.log(A2), Y) + np.multiply(np.log(1 - A2), 1 - Y)) / m
    space = {**p, "X": X, "Y": Y, "m": m, "np": np, "A1": A1, "A2": A2}
    backward = {
        "dZ2": "A2 - Y",
        "dW2": "1 / m * np.dot(dZ2, A1.T)",
        "db2": "1 / m * np.sum(dZ2, axis=1, keepdims=True)",
        "dZ1": "np.multiply(np.dot(W2.T, dZ2), 1 - np.power(A1, 2))",
        "dW1": "1 / m * np.dot(dZ1, X.T)",
        "db1": "1 / m * np.sum(dZ1, axis=1, keepdims=True)",
    }
    for name, line in {**backward, **dict(lines)}.items():
        space[name] = eval(line, space)
    grads = {name: space[name] for name in backward}
    return {**p, "Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2, "loss": loss, **grads}, X, Y


def verdicts(report):
    return {f.name: f.verdict for f in report.findings if f.name.startswith("d")}


def test_one_over_m_in_the_parameters_gradients_is_a_convention():
    run, X, Y = course()
    report = check(run, Planar(), X, Y, loss=nn.BCELoss())
    assert report.ok
    assert verdicts(report) == {
        "dZ2": "scaled",
        "dZ1": "scaled",
        **dict.fromkeys(("dW1", "db1", "dW2", "db2"), "match"),
    }
    assert "`dZ2` is 12 times the slope of the loss, a convention: " in str(report)
    assert json.loads(json.dumps(report.to_dict()))["verdict"] == "match"


NO_CONVENTION = {
    "nobody takes it out": (
        {
            "dW2": "np.dot(dZ2, A1.T)",
            "db2": "np.sum(dZ2, axis=1, keepdims=True)",
            "dW1": "np.dot(dZ1, X.T)",
            "db1": "np.sum(dZ1, axis=1)[:, None]",
        },
        {"dZ2"},
    ),
    "one does not": ({"db1": "np.sum(dZ1, axis=1, keepdims=True)"}, {"db1"}),
    "one takes it out twice": ({"dW1": "np.dot(dZ1, X.T) / m**2"}, {"dW1"}),
    "one column has another": (
        {"dZ2": "(A2 - Y) * (1 + (np.arange(m) == 3))"},
        {"dZ2", "dW2", "db2", "dW1", "db1"},
    ),
    "the derivative is wrong": (
        {"dZ1": "np.dot(W2.T, dZ2) * (1 - A1)"},
        {"dZ1"},
    ),
    "and the wrong sign in one place": ({"dW1": "-np.dot(dZ1, X.T) / m"}, {"dW1"}),
}


@pytest.mark.parametrize(("lines", "wrong"), NO_CONVENTION.values(), ids=NO_CONVENTION)
def test_what_is_no_convention_is_wrong(lines, wrong):
    run, X, Y = course(lines)
    report = check(run, Planar(), X, Y, loss=nn.BCELoss())
    assert {name for name, verdict in verdicts(report).items() if verdict == "wrong"} == wrong


def test_where_one_forgets_it_the_sentence_says_so():
    run, X, Y = course({"db1": "np.sum(dZ1, axis=1, keepdims=True)"})
    report = check(run, Planar(), X, Y, loss=nn.BCELoss())
    assert verdicts(report)["dZ2"] == verdicts(report)["dZ1"] == "scaled"
    assert verdicts(report)["dW1"] == "match"
    assert "computed from a gradient that is 12 times the slope of the loss" in str(report)


def test_a_multiple_that_ends_on_the_way():
    run, X, Y = course(
        {
            "dZ1": "np.multiply(np.dot(W2.T, dZ2), 1 - np.power(A1, 2)) / m",
            "dW1": "np.dot(dZ1, X.T)",
            "db1": "np.sum(dZ1, axis=1, keepdims=True)",
        }
    )
    report = check(run, Planar(), X, Y, loss=nn.BCELoss())
    assert report.ok
    assert verdicts(report)["dZ2"] == "scaled"
    assert verdicts(report)["dZ1"] == "match"


def test_a_multiple_is_that_of_every_entry():
    steps = SimpleNamespace(precision=FLOAT64)
    right = np.array([1.0, 2.0, -3.0])
    across = np.array([2.0, -1.0, 0.0])  # at right angles: it leaves the best multiple as it is
    assert multiple(4 * right, right, 1e-12, steps) == 4
    assert multiple(4 * right + across, right, 1e-12, steps) is None
    assert multiple(right, right, 1e-12, steps) is None
    assert multiple(-2 * right, right, 1e-12, steps) is None
