"""References of other kinds: several inputs and outputs, penalties, labels, no parameters."""

# ruff: noqa: N803, N806

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from handgrad import InputError, check

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


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("name", LOSSES)
def test_targets_of_whole_numbers(kind, name):
    loss, dz_of, has_sigmoid = LOSSES[name]
    x, w = draw(9, 3), draw(3, 1)
    y = (RNG.random((9, 1)) > 0.5).astype(float)
    z = x @ w
    dz = dz_of(sigmoid(z), y, z)
    net = nn.Sequential(nn.Linear(3, 1, bias=False), *([nn.Sigmoid()] * has_sigmoid))
    run, names = {"w": w, "z": z, "dz": dz, "dw": x.T @ dz}, {"w": "0.weight.T", "z": "0"}
    assert check(run, net, x, LABELS[kind](y), loss=loss, names=names).ok
    wrong = check({**run, "dz": -dz}, net, x, LABELS[kind](y), loss=loss, names=names)
    assert wrong.first == "dz"


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


class Recurrent(nn.Module):
    """An RNN returns its states and the last of them."""

    def __init__(self):
        super().__init__()
        self.rnn = nn.RNN(2, 3, bias=False, batch_first=True)
        self.out = nn.Linear(3, 1, bias=False)

    def forward(self, x):
        states, _ = self.rnn(x)
        return self.out(states[:, -1])


def recurrent(n=4, T=5):
    x, y = draw(n, T, 2), draw(n, 1)
    Wx, Wh, Wy = draw(3, 2), draw(3, 3), draw(3, 1)
    h = [np.zeros((n, 3))]
    for t in range(T):
        h.append(np.tanh(x[:, t] @ Wx.T + h[-1] @ Wh.T))
    out = h[-1] @ Wy
    dout = 2 * (out - y)
    dWx, dWh = np.zeros_like(Wx), np.zeros_like(Wh)
    dWy = h[-1].T @ dout
    dh = dout @ Wy.T
    for t in reversed(range(T)):
        dz = dh * (1 - h[t + 1] ** 2)
        dWx += dz.T @ x[:, t]
        dWh += dz.T @ h[t]
        dh = dz @ Wh
    drnn = np.zeros((n, T, 3))
    drnn[:, -1] = dout @ Wy.T
    run = {"Wx": Wx, "Wh": Wh, "Wy": Wy, "out": out, "dout": dout, "dWx": dWx, "dWh": dWh}
    return run | {"dWy": dWy, "rnn": np.stack(h[1:], 1), "drnn": drnn}, x, y


NAMES = {"Wx": "rnn.weight_ih_l0", "Wh": "rnn.weight_hh_l0", "Wy": "out.weight.T"}


def test_a_submodule_that_returns_a_tuple():
    run, x, y = recurrent()
    report = check(run, Recurrent(), x, y, names=NAMES)
    assert report.ok
    assert verdicts(report)["rnn"] == verdicts(report)["drnn"] == "match"
    assert verdicts(report)["rnn[1]"] == "missing"
    several = {**run, "rnn": (run["rnn"], run["rnn"][:, -1][None])}
    report = check(several, Recurrent(), x, y, names=NAMES)
    assert verdicts(report)["rnn[0]"] == verdicts(report)["rnn[1]"] == "match"
    named = {**run, "states": run["rnn"], "dstates": -run["drnn"]}
    report = check(named, Recurrent(), x, y, names={**NAMES, "states": "rnn[0]"})
    assert report.first == "dstates"
    assert check({**run, "dWh": run["dWh"].T}, Recurrent(), x, y, names=NAMES).first == "dWh"


class Branches(nn.Module):
    def __init__(self):
        super().__init__()
        self.parts = Parts()

    def forward(self, x):
        parts = self.parts(x)
        return {"sum": parts["a"] + parts["b"][0], "a": parts["a"]}


class Parts(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(3))

    def forward(self, x):
        return {"a": x * self.w, "b": (x + self.w, "text")}


def test_dicts_of_a_submodule_and_of_the_module():
    x, y, w = draw(4, 3), draw(4, 3), draw(3)
    a, b = x * w, x + w
    dtotal = 2 * (a + b - y)
    run = {"w": w, "parts_a": a, "parts_b_0": b, "dparts_a": dtotal + 1, "dparts_b_0": dtotal}
    run["dw"] = (run["dparts_a"] * x + dtotal).sum(0)

    def loss(output, y):
        return ((output["sum"] - y) ** 2).sum() + output["a"].sum()

    report = check(run, Branches(), x, y, loss=loss)
    assert report.ok
    assert list(verdicts(report))[:3] == ["w", "parts_a", "parts_b_0"]
    assert "missing" not in {v for n, v in verdicts(report).items() if n.startswith(("p", "d"))}
    assert check({**run, "dparts_a": dtotal}, Branches(), x, y, loss=loss).first == "dparts_a"
    with pytest.raises(InputError, match="returns a dict, which MSELoss does not take"):
        check(run, Branches(), x, y)


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


class Gated(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(2, 3, batch_first=True)

    def forward(self, x):
        _, (h, _) = self.lstm(x)
        return h[0]


def test_an_lstm_by_the_names_of_its_parameters():
    n, T, H = 3, 4, 3
    x, y = draw(n, T, 2), draw(n, H)
    w_ih, w_hh, b_ih, b_hh = draw(4 * H, 2), draw(4 * H, H), draw(4 * H), draw(4 * H)
    h, c, kept = np.zeros((n, H)), np.zeros((n, H)), []
    for t in range(T):
        i, f, g, o = np.split(x[:, t] @ w_ih.T + b_ih + h @ w_hh.T + b_hh, 4, axis=1)
        i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
        kept.append((h, c, i, f, g, o))
        c = f * c + i * g
        h = o * np.tanh(c)
        kept[-1] += (c,)
    dw_ih, dw_hh, db = np.zeros_like(w_ih), np.zeros_like(w_hh), np.zeros(4 * H)
    dh, dc = 2 * (h - y), np.zeros((n, H))
    for t in range(T)[::-1]:
        before, c_before, i, f, g, o, c_t = kept[t]
        dc = dc + dh * o * (1 - np.tanh(c_t) ** 2)
        da = np.hstack(
            [
                dc * g * i * (1 - i),
                dc * c_before * f * (1 - f),
                dc * i * (1 - g**2),
                dh * np.tanh(c_t) * o * (1 - o),
            ]
        )
        dw_ih += da.T @ x[:, t]
        dw_hh += da.T @ before
        db += da.sum(axis=0)
        dh, dc = da @ w_hh, dc * f
    run = {"w_ih": w_ih, "w_hh": w_hh, "b_ih": b_ih, "b_hh": b_hh}
    run |= {"dw_ih": dw_ih, "dw_hh": dw_hh, "db_ih": db, "db_hh": db}
    run |= {"lstm[1][0]": h[None], "dlstm[1][0]": 2 * (h - y)[None]}
    report = check(run, Gated(), x, y)
    assert report.ok
    assert verdicts(report)["lstm[1][0]"] == verdicts(report)["dlstm[1][0]"] == "match"
    assert check({**run, "db_hh": db / T}, Gated(), x, y).first == "db_hh"
