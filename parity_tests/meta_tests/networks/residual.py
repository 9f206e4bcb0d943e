"""A residual connection: h1_relu goes into h2 and past it."""

import numpy as np
from torch import nn


def init(rng, n=24, d_in=5, h1=6, d_out=2):
    x = rng.standard_normal((n, d_in))
    y = rng.standard_normal((n, d_out))
    params = {
        "w1": rng.standard_normal((d_in, h1)),
        "b1": rng.standard_normal(h1),
        "w2": rng.standard_normal((h1, h1)),
        "b2": rng.standard_normal(h1),
        "w3": rng.standard_normal((h1, d_out)),
        "b3": rng.standard_normal(d_out),
    }
    return params, x, y


def forward(params, x, y):
    w1, b1, w2 = params["w1"], params["b1"], params["w2"]
    b2, w3, b3 = params["b2"], params["w3"], params["b3"]
    h1 = x @ w1 + b1
    h1_relu = np.maximum(h1, 0)
    h2 = h1_relu @ w2 + b2
    total = h1_relu + h2
    y_pred = total @ w3 + b3
    loss = np.square(y_pred - y).sum()
    return {
        "h1": h1,
        "h1_relu": h1_relu,
        "h2": h2,
        "total": total,
        "y_pred": y_pred,
        "loss": loss,
    }


def backward(params, x, y, values):
    w2, w3 = params["w2"], params["w3"]
    h1, h1_relu, total = values["h1"], values["h1_relu"], values["total"]
    grad_y_pred = 2.0 * (values["y_pred"] - y)
    grad_w3 = total.T @ grad_y_pred
    grad_b3 = grad_y_pred.sum(axis=0)
    grad_total = grad_y_pred @ w3.T
    grad_h2 = grad_total.copy()
    grad_w2 = h1_relu.T @ grad_h2
    grad_b2 = grad_h2.sum(axis=0)
    grad_h1_relu = grad_total + grad_h2 @ w2.T
    grad_h1 = grad_h1_relu * (h1 > 0)
    grad_w1 = x.T @ grad_h1
    grad_b1 = grad_h1.sum(axis=0)
    return {
        "grad_y_pred": grad_y_pred,
        "grad_w3": grad_w3,
        "grad_b3": grad_b3,
        "grad_total": grad_total,
        "grad_h2": grad_h2,
        "grad_w2": grad_w2,
        "grad_b2": grad_b2,
        "grad_h1_relu": grad_h1_relu,
        "grad_h1": grad_h1,
        "grad_w1": grad_w1,
        "grad_b1": grad_b1,
    }


class Net(nn.Module):
    def __init__(self, d_in=5, h1=6, d_out=2):
        super().__init__()
        self.h1 = nn.Linear(d_in, h1)
        self.h1_relu = nn.ReLU()
        self.h2 = nn.Linear(h1, h1)
        self.total = nn.Identity()
        self.y_pred = nn.Linear(h1, d_out)

    def forward(self, x):
        h1_relu = self.h1_relu(self.h1(x))
        return self.y_pred(self.total(h1_relu + self.h2(h1_relu)))


reference = Net
loss = nn.MSELoss(reduction="sum")
