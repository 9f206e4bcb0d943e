"""Huber's loss, with residuals that are exactly 0 or exactly delta: whole numbers do it."""

import numpy as np
from torch import nn

DELTA = 2.0
PARAMETERS = {"w": "y_pred.weight.T", "b": "y_pred.bias"}
loss_fn = nn.HuberLoss(reduction="sum", delta=DELTA)


def init(rng, n=8, d=3, d_out=2):
    params = {"w": np.rint(rng.standard_normal((d, d_out))), "b": np.rint(rng.normal(size=d_out))}
    x = np.rint(2 * rng.standard_normal((n, d)))
    residual = rng.choice([0, DELTA, -DELTA, 1.5, -5], (n, d_out))
    return params, x, x @ params["w"] + params["b"] - residual


def forward(params, x, y):
    y_pred = x @ params["w"] + params["b"]
    r = np.abs(y_pred - y)
    loss = np.where(r <= DELTA, r**2 / 2, DELTA * (r - DELTA / 2)).sum()
    return {"y_pred": y_pred, "loss": loss}


def backward(params, x, y, values):
    grad_y_pred = np.clip(values["y_pred"] - y, -DELTA, DELTA)
    grad_w = x.T @ grad_y_pred
    grad_b = grad_y_pred.sum(axis=0)
    return {"grad_y_pred": grad_y_pred, "grad_w": grad_w, "grad_b": grad_b}


class Net(nn.Module):
    def __init__(self, d=3, d_out=2):
        super().__init__()
        self.y_pred = nn.Linear(d, d_out)

    def forward(self, x):
        return self.y_pred(x)
