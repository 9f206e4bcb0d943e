"""`nn.GRU` over time, written out: the gates reset, update, new, PyTorch's order."""

import numpy as np
from torch import nn

PARAMETERS = {
    **{"w": "gru.weight_ih_l0.T", "u": "gru.weight_hh_l0.T", "b": "gru.bias_ih_l0"},
    **{"c": "gru.bias_hh_l0", "v": "y_pred.weight.T"},
}
loss_fn = nn.MSELoss(reduction="sum")


def init(rng, n=3, t=4, d=3, h=4, d_out=2):
    params = {
        **{"w": rng.standard_normal((d, 3 * h)), "u": rng.standard_normal((h, 3 * h))},
        **{"b": rng.standard_normal(3 * h), "c": rng.standard_normal(3 * h)},
        "v": rng.standard_normal((h, d_out)),
    }
    return params, rng.standard_normal((n, t, d)), rng.standard_normal((n, d_out))


def sigmoid(a):
    small = np.exp(-np.abs(a))
    return np.where(a > 0, 1, small) / (1 + small)


def run(params, x):
    """Return what went into each step and its gates, and the last h."""
    h = np.zeros((len(x), len(params["u"])), x.dtype)
    steps = []
    for x_t in x.swapaxes(0, 1):
        r, z, new = np.split(x_t @ params["w"] + params["b"], 3, axis=1)
        r_h, z_h, new_h = np.split(h @ params["u"] + params["c"], 3, axis=1)
        r, z = sigmoid(r + r_h), sigmoid(z + z_h)
        new = np.tanh(new + r * new_h)
        steps.append((x_t, h, r, z, new, new_h))
        h = (1 - z) * new + z * h
    return steps, h


def forward(params, x, y):
    _, last = run(params, x)
    y_pred = last @ params["v"]
    return {"last": last, "y_pred": y_pred, "loss": np.square(y_pred - y).sum()}


def backward(params, x, y, values):
    grad_y_pred = 2 * (values["y_pred"] - y)
    grad_v = values["last"].T @ grad_y_pred
    grad_last = grad_y_pred @ params["v"].T
    grad_w, grad_u = np.zeros_like(params["w"]), np.zeros_like(params["u"])
    grad_b, grad_c = np.zeros_like(params["b"]), np.zeros_like(params["c"])
    grad_h = grad_last
    for x_t, h, r, z, new, new_h in reversed(run(params, x)[0]):
        grad_new = grad_h * (1 - z) * (1 - new**2)
        grad_z = grad_h * (h - new) * z * (1 - z)
        grad_r = grad_new * new_h * r * (1 - r)
        grad_a = np.concatenate([grad_r, grad_z, grad_new], axis=1)
        grad_q = np.concatenate([grad_r, grad_z, grad_new * r], axis=1)
        grad_w += x_t.T @ grad_a
        grad_b += grad_a.sum(axis=0)
        grad_u += h.T @ grad_q
        grad_c += grad_q.sum(axis=0)
        grad_h = grad_h * z + grad_q @ params["u"].T
    return {
        **{"grad_y_pred": grad_y_pred, "grad_v": grad_v, "grad_last": grad_last},
        **{"grad_w": grad_w, "grad_u": grad_u, "grad_b": grad_b, "grad_c": grad_c},
    }


class Net(nn.Module):
    def __init__(self, d=3, h=4, d_out=2):
        super().__init__()
        self.gru = nn.GRU(d, h, batch_first=True)
        self.last = nn.Identity()
        self.y_pred = nn.Linear(h, d_out, bias=False)

    def forward(self, x):
        _, last = self.gru(x)
        return self.y_pred(self.last(last[0]))
