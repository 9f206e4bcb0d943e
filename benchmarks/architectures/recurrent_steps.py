"""h = tanh(x_t w + h u) over time with a name for every step: h, h_2, h_3, ..."""

import numpy as np
import torch
from torch import nn

PARAMETERS = {"w": "w", "u": "u", "v": "y_pred.weight.T"}
loss_fn = nn.MSELoss(reduction="sum")


def init(rng, n=3, t=4, d=3, h=4, d_out=2):
    params = {
        "w": rng.standard_normal((d, h)),
        "u": rng.standard_normal((h, h)) / 2,
        "v": rng.standard_normal((h, d_out)),
    }
    return params, rng.standard_normal((n, t, d)), rng.standard_normal((n, d_out))


def named(t):
    return f"h_{t + 1}" if t else "h"


def forward(params, x, y):
    values = {}
    h = np.zeros((len(x), len(params["u"])), x.dtype)
    for t in range(x.shape[1]):
        h = np.tanh(x[:, t] @ params["w"] + h @ params["u"])
        values[named(t)] = h
    y_pred = h @ params["v"]
    return {**values, "y_pred": y_pred, "loss": np.square(y_pred - y).sum()}


def backward(params, x, y, values):
    last = x.shape[1] - 1
    grad_y_pred = 2 * (values["y_pred"] - y)
    grads = {
        "grad_y_pred": grad_y_pred,
        "grad_v": values[named(last)].T @ grad_y_pred,
        "grad_w": np.zeros_like(params["w"]),
        "grad_u": np.zeros_like(params["u"]),
    }
    grad_h = grad_y_pred @ params["v"].T
    for t in reversed(range(last + 1)):
        grads[f"grad_{named(t)}"] = grad_h
        grad_a = grad_h * (1 - values[named(t)] ** 2)
        grads["grad_w"] += x[:, t].T @ grad_a
        if t > 0:
            grads["grad_u"] += values[named(t - 1)].T @ grad_a
        grad_h = grad_a @ params["u"].T
    return grads


class Net(nn.Module):
    def __init__(self, d=3, h=4, d_out=2):
        super().__init__()
        self.w = nn.Parameter(torch.empty(d, h))
        self.u = nn.Parameter(torch.empty(h, h))
        self.h = nn.Tanh()
        self.y_pred = nn.Linear(h, d_out, bias=False)

    def forward(self, x):
        h = x.new_zeros(len(x), len(self.u))
        for x_t in x.unbind(1):
            h = self.h(x_t @ self.w + h @ self.u)
        return self.y_pred(h)
