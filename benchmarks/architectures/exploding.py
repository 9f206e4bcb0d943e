"""A linear recurrence with gain 3 over 40 steps: what rounding does grows, but is no mistake."""

import numpy as np
import torch
from torch import nn

STEPS = 40
PARAMETERS = {"w": "h.weight.T", "u": "u", "v": "y_pred.weight.T"}
loss_fn = nn.MSELoss(reduction="sum")


def init(rng, n=3, d=3, h=4, d_out=2):
    q, _ = np.linalg.qr(rng.standard_normal((h, h)))
    params = {
        "w": rng.standard_normal((d, h)),
        "u": 3 * q,
        "v": rng.standard_normal((h, d_out)),
    }
    return params, rng.standard_normal((n, d)), rng.standard_normal((n, d_out))


def forward(params, x, y):
    h = x @ params["w"]
    hs = [h]
    for _ in range(STEPS):
        hs.append(hs[-1] @ params["u"])
    y_pred = hs[-1] @ params["v"]
    return {"h": h, "hs": np.stack(hs[1:]), "y_pred": y_pred, "loss": np.square(y_pred - y).sum()}


def backward(params, x, y, values):
    hs = [values["h"], *values["hs"]]
    grad_y_pred = 2 * (values["y_pred"] - y)
    grad_v = hs[-1].T @ grad_y_pred
    grad_last = grad_y_pred @ params["v"].T
    grad_hs = np.zeros_like(values["hs"])
    grad_hs[-1] = grad_last  # what comes from y_pred; the stack is named, not each of its rows
    grad_u = np.zeros_like(params["u"])
    grad_h = grad_last
    for h in hs[-2::-1]:
        grad_u += h.T @ grad_h
        grad_h = grad_h @ params["u"].T
    grad_w = x.T @ grad_h
    return {
        **{"grad_y_pred": grad_y_pred, "grad_v": grad_v, "grad_hs": grad_hs},
        **{"grad_u": grad_u, "grad_h": grad_h, "grad_w": grad_w},
    }


class Net(nn.Module):
    def __init__(self, d=3, h=4, d_out=2):
        super().__init__()
        self.h = nn.Linear(d, h, bias=False)
        self.u = nn.Parameter(torch.empty(h, h))
        self.hs = nn.Identity()
        self.y_pred = nn.Linear(h, d_out, bias=False)

    def forward(self, x):
        hs = [self.h(x)]
        for _ in range(STEPS):
            hs.append(hs[-1] @ self.u)
        return self.y_pred(self.hs(torch.stack(hs[1:]))[-1])
