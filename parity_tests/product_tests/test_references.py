"""References of other kinds: several inputs and outputs, penalties, labels, no parameters."""

# ruff: noqa: N806

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from handgrad import InputError, check
from parity_tests.conftest import slow_but

RNG = np.random.default_rng(0)


def draw(*shape):
    return RNG.standard_normal(shape)


def verdicts(report):
    return {finding.name: finding.verdict for finding in report.findings}


def sigmoid(z):
    return np.where(
        z >= 0, 1 / (1 + np.exp(-np.abs(z))), np.exp(-np.abs(z)) / (1 + np.exp(-np.abs(z)))
    )


LABELS = {
    "ints": lambda y: y.astype(int),
    "bytes": lambda y: y.astype(np.uint8),
    "booleans": lambda y: y > 0.5,
    "a tensor": lambda y: torch.tensor(y).long(),
    "floats": lambda y: y,
}
LOSSES: dict[str, tuple[Any, Any, bool]] = {
    "BCELoss": (nn.BCELoss(), lambda p, y, z: (p - y) / len(y), True),
    "BCEWithLogitsLoss": (nn.BCEWithLogitsLoss(reduction="sum"), lambda p, y, z: p - y, False),
    "MSELoss": (nn.MSELoss(), lambda p, y, z: 2 * (z - y) / len(y), False),
    "a function": (functional.binary_cross_entropy_with_logits, lambda p, y, z: (p - y) / 9, False),
    "an expression": (lambda out, y: ((out - y) ** 2).sum(), lambda p, y, z: 2 * (z - y), False),
}


def check_labels(kind, name, sign=1):
    """Check a layer of one output against labels of some kind, its gradient times a sign."""
    loss, dz_of, has_sigmoid = LOSSES[name]
    x, w = draw(9, 3), draw(3, 1)
    y = (RNG.random((9, 1)) > 0.5).astype(float)
    z = x @ w
    dz = dz_of(sigmoid(z), y, z)
    net = nn.Sequential(nn.Linear(3, 1, bias=False), *([nn.Sigmoid()] * has_sigmoid))
    run, names = {"w": w, "z": z, "dz": dz, "dw": x.T @ dz}, {"w": "0.weight.T", "z": "0"}
    return check({**run, "dz": sign * dz}, net, x, LABELS[kind](y), loss=loss, names=names)


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("name", LOSSES)
def test_targets_of_whole_numbers(kind, name):
    assert check_labels(kind, name).ok


@pytest.mark.parametrize("kind", slow_but(LABELS, "ints"))
@pytest.mark.parametrize("name", LOSSES)
def test_a_wrong_gradient_with_targets_of_whole_numbers(kind, name):
    assert check_labels(kind, name, sign=-1).first == "dz"


def test_class_labels_stay_whole():
    x, w, y = draw(6, 3), draw(3, 4), RNG.integers(0, 4, 6)
    logits = x @ w
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    dlogits = p.copy()
    dlogits[range(6), y] -= 1
    dlogits /= 6
    run = {"w": w, "dw": x.T @ dlogits}
    assert check(run, nn.Linear(3, 4, bias=False), x, y, loss=nn.CrossEntropyLoss()).ok


@pytest.mark.parametrize("kind", [bool, np.int64, np.uint8, np.float32])
def test_inputs_that_a_linear_does_not_take_as_they_are(kind):
    x, y, w = (draw(7, 3) > 0).astype(kind), draw(7, 2), draw(3, 2)
    dout = 2 * (x.astype(float) @ w - y)
    run = {"w": w, "dw": x.T.astype(float) @ dout}
    assert check(run, nn.Linear(3, 2, bias=False), x, y).ok
    assert check({**run, "dw": -run["dw"]}, nn.Linear(3, 2, bias=False), x, y).first == "dw"


class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.out = nn.Bilinear(3, 2, 1, bias=False)

    def forward(self, left, right):
        return self.out(left, right)


@pytest.mark.parametrize("as_dict", [False, True], ids=["tuple", "dict"])
def test_several_inputs_each_with_its_gradient(as_dict):
    left, right, W, y = draw(5, 3), draw(5, 2), draw(1, 3, 2), draw(5, 1)
    out = np.einsum("ni,kij,nj->nk", left, W, right)
    dout = 2 * (out - y)
    run = {
        "left": left,
        "W": W,
        "out": out,
        "dW": np.einsum("nk,ni,nj->kij", dout, left, right),
        "dleft": np.einsum("nk,kij,nj->ni", dout, W, right),
        "dright": np.einsum("nk,kij,ni->nj", dout, W, left),
        "right": right,
    }
    x = {"right": right, "left": left} if as_dict else (left, right)
    report = check(run, Two(), x, y)
    assert report.ok
    assert verdicts(report)["dleft"] == verdicts(report)["dright"] == "match"
    assert check({**run, "dright": run["dright"] * 2}, Two(), x, y).first == "dright"


def test_inputs_by_names_that_the_module_does_not_take():
    with pytest.raises(InputError, match=r"x has a, right, but .* takes left, right"):
        check({"W": draw(1, 3, 2)}, Two(), {"a": draw(5, 3), "right": draw(5, 2)}, draw(5, 1))


def ridge(lam=0.3):
    x, y, w1, w2 = draw(8, 3), draw(8, 2), draw(3, 4), draw(4, 2)
    h = x @ w1
    r = h @ w2 - y
    dw2 = h.T @ (2 * r) + 2 * lam * w2
    dw1 = x.T @ (2 * r @ w2.T) + 2 * lam * w1
    forgotten = {"dw1": dw1 - 2 * lam * w1, "dw2": dw2 - 2 * lam * w2}
    return {"w1": w1, "w2": w2, "h": h, "dw1": dw1, "dw2": dw2}, forgotten, x, y


class Deep(nn.Module):
    def __init__(self):
        super().__init__()
        self.h = nn.Linear(3, 4, bias=False)
        self.out = nn.Linear(4, 2, bias=False)

    def forward(self, x):
        return self.out(self.h(x))


def closing_over(net):
    def loss(output, y):
        return ((output - y) ** 2).sum() + 0.3 * sum((p**2).sum() for p in net.parameters())

    return loss


def of_three(_):
    def loss(output, y, params):
        assert params["w1"].shape == (3, 4)  # as in the derivation
        penalty = params["w1"].square().sum() + params["w2"].square().sum()
        return ((output - y) ** 2).sum() + 0.3 * penalty

    return loss


@pytest.mark.parametrize("make", [closing_over, of_three])
def test_a_penalty_in_the_loss(make):
    run, forgotten, x, y = ridge()
    net = Deep()
    report = check(run, net, x, y, loss=make(net))
    assert report.ok
    assert verdicts(report)["dw1"] == verdicts(report)["dw2"] == "match"
    for name, array in forgotten.items():
        assert check({**run, name: array}, net, x, y, loss=make(net)).first == name
    found = verdicts(check({**run, **forgotten}, net, x, y, loss=make(net)))
    assert (found["dw1"], found["dw2"]) == ("wrong", "wrong")


def test_a_loss_with_a_third_argument_of_its_own_is_called_with_two():
    def loss(output, y, weight=2.0):
        return weight * ((output - y) ** 2).sum()

    x, y, w = draw(4, 3), draw(4, 2), draw(3, 2)
    run = {"w": w, "dw": 2 * x.T @ (2 * (x @ w - y))}
    assert check(run, nn.Linear(3, 2, bias=False), x, y, loss=loss).ok
