"""Modules that return several tensors, in tuples and dicts: each is a quantity."""

# ruff: noqa: N803, N806

import numpy as np
import pytest
import torch
from torch import nn

from handgrad import InputError, check
from parity_tests.product_tests.test_references import draw, sigmoid, verdicts


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
    assert "rnn[1]" not in verdicts(report)  # nobody has to name it
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
        before, c_before, c = h, c, f * c + i * g
        h = o * np.tanh(c)
        kept.append((before, c_before, i, f, g, o, c))
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
