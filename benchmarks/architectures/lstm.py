"""`nn.LSTM` over time, written out: the gates input, forget, cell, output, PyTorch's order."""

import numpy as np
from torch import nn

PARAMETERS = {
    **{"w": "lstm.weight_ih_l0.T", "u": "lstm.weight_hh_l0.T", "b": "lstm.bias_ih_l0"},
    **{"c": "lstm.bias_hh_l0", "v": "y_pred.weight.T"},
}
loss_fn = nn.MSELoss(reduction="sum")


def init(rng, n=3, t=4, d=3, h=4, d_out=2):
    params = {
        **{"w": rng.standard_normal((d, 4 * h)), "u": rng.standard_normal((h, 4 * h))},
        **{"b": rng.standard_normal(4 * h), "c": rng.standard_normal(4 * h)},
        "v": rng.standard_normal((h, d_out)),
    }
    return params, rng.standard_normal((n, t, d)), rng.standard_normal((n, t, d_out))


def sigmoid(a):
    small = np.exp(-np.abs(a))
    return np.where(a > 0, 1, small) / (1 + small)


def run(params, x):
    """Return for each step what went into it and what it gave: h, c, gates, the next c."""
    h = c = np.zeros((len(x), len(params["u"])), x.dtype)
    steps, hs = [], []
    for x_t in x.swapaxes(0, 1):
        a = x_t @ params["w"] + params["b"] + h @ params["u"] + params["c"]
        i, f, g, o = np.split(a, 4, axis=1)
        i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
        c_next = f * c + i * g
        steps.append((x_t, h, c, i, f, g, o, c_next))
        h, c = o * np.tanh(c_next), c_next
        hs.append(h)
    return steps, np.stack(hs, axis=1)


def forward(params, x, y):
    _, hs = run(params, x)
    y_pred = hs @ params["v"]
    return {"hs": hs, "y_pred": y_pred, "loss": np.square(y_pred - y).sum()}


def backward(params, x, y, values):
    hs = values["hs"]
    grad_y_pred = 2 * (values["y_pred"] - y)
    grad_v = np.einsum("nti,ntj->ij", hs, grad_y_pred)
    grad_hs = grad_y_pred @ params["v"].T
    grad_w, grad_u = np.zeros_like(params["w"]), np.zeros_like(params["u"])
    grad_b = np.zeros_like(params["b"])
    grad_h = grad_c = np.zeros_like(hs[:, 0])
    for t, (x_t, h, c, i, f, g, o, c_next) in reversed(list(enumerate(run(params, x)[0]))):
        grad_h = grad_hs[:, t] + grad_h
        grad_c = grad_c + grad_h * o * (1 - np.tanh(c_next) ** 2)
        grad_i = grad_c * g * i * (1 - i)
        grad_f = grad_c * c * f * (1 - f)
        grad_g = grad_c * i * (1 - g**2)
        grad_o = grad_h * np.tanh(c_next) * o * (1 - o)
        grad_a = np.concatenate([grad_i, grad_f, grad_g, grad_o], axis=1)
        grad_w += x_t.T @ grad_a
        grad_u += h.T @ grad_a
        grad_b += grad_a.sum(axis=0)
        grad_h, grad_c = grad_a @ params["u"].T, grad_c * f
    return {
        **{"grad_y_pred": grad_y_pred, "grad_v": grad_v, "grad_hs": grad_hs},
        **{"grad_w": grad_w, "grad_u": grad_u, "grad_b": grad_b, "grad_c": grad_b.copy()},
    }


class Net(nn.Module):
    def __init__(self, d=3, h=4, d_out=2):
        super().__init__()
        self.lstm = nn.LSTM(d, h, batch_first=True)  # gives a tuple
        self.hs = nn.Identity()
        self.y_pred = nn.Linear(h, d_out, bias=False)

    def forward(self, x):
        hs, _ = self.lstm(x)
        return self.y_pred(self.hs(hs))
