"""h = tanh(h u) with a large u over 40 steps: chaos, in which the last bit decides everything."""

import numpy as np
import torch
from torch import nn

STEPS = 40
PARAMETERS = {"w": "w", "u": "u", "v": "y_pred.weight.T"}
loss_fn = nn.MSELoss(reduction="sum")


def init(rng, n=3, d=3, h=6, d_out=2):
    params = {
        "w": rng.standard_normal((d, h)),
        "u": 3 * rng.standard_normal((h, h)),
        "v": rng.standard_normal((h, d_out)),
    }
    return params, rng.standard_normal((n, d)), rng.standard_normal((n, d_out))


def run(params, x):
    hs = [np.tanh(x @ params["w"])]
    for _ in range(STEPS):
        hs.append(np.tanh(hs[-1] @ params["u"]))
    return hs


def forward(params, x, y):
    last = run(params, x)[-1]
    y_pred = last @ params["v"]
    return {"last": last, "y_pred": y_pred, "loss": np.square(y_pred - y).sum()}


def backward(params, x, y, values):
    hs = run(params, x)
    grad_y_pred = 2 * (values["y_pred"] - y)
    grad_v = hs[-1].T @ grad_y_pred
    grad_last = grad_h = grad_y_pred @ params["v"].T
    grad_u = np.zeros_like(params["u"])
    for before, h in zip(hs[-2::-1], hs[:0:-1], strict=True):
        grad_a = grad_h * (1 - h**2)
        grad_u += before.T @ grad_a
        grad_h = grad_a @ params["u"].T
    grad_w = x.T @ (grad_h * (1 - hs[0] ** 2))
    return {
        **{"grad_y_pred": grad_y_pred, "grad_v": grad_v, "grad_last": grad_last},
        **{"grad_u": grad_u, "grad_w": grad_w},
    }


class Net(nn.Module):
    def __init__(self, d=3, h=6, d_out=2):
        super().__init__()
        self.w = nn.Parameter(torch.empty(d, h))
        self.u = nn.Parameter(torch.empty(h, h))
        self.last = nn.Identity()
        self.y_pred = nn.Linear(h, d_out, bias=False)

    def forward(self, x):
        h = torch.tanh(x @ self.w)
        for _ in range(STEPS):
            h = torch.tanh(h @ self.u)
        return self.y_pred(self.last(h))
