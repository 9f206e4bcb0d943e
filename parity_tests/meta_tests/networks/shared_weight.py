"""A weight used twice: w2 takes h1_tanh to h2, and h2_tanh to h3."""

import numpy as np
from torch import nn


def init(rng, n=20, d_in=5, h=6, d_out=2):
    x = rng.standard_normal((n, d_in))
    y = rng.standard_normal((n, d_out))
    params = {
        "w1": rng.standard_normal((d_in, h)),
        "w2": rng.standard_normal((h, h)) / 2,
        "w3": rng.standard_normal((h, d_out)),
    }
    return params, x, y


def forward(params, x, y):
    w1, w2, w3 = params["w1"], params["w2"], params["w3"]
    h1 = x @ w1
    h1_tanh = np.tanh(h1)
    h2 = h1_tanh @ w2
    h2_tanh = np.tanh(h2)
    h3 = h2_tanh @ w2
    h3_tanh = np.tanh(h3)
    y_pred = h3_tanh @ w3
    loss = np.square(y_pred - y).sum()
    return {
        "h1": h1,
        "h1_tanh": h1_tanh,
        "h2": h2,
        "h2_tanh": h2_tanh,
        "h3": h3,
        "h3_tanh": h3_tanh,
        "y_pred": y_pred,
        "loss": loss,
    }


def backward(params, x, y, values):
    w2, w3 = params["w2"], params["w3"]
    h1_tanh, h2_tanh, h3_tanh = values["h1_tanh"], values["h2_tanh"], values["h3_tanh"]
    grad_y_pred = 2.0 * (values["y_pred"] - y)
    grad_w3 = h3_tanh.T @ grad_y_pred
    grad_h3_tanh = grad_y_pred @ w3.T
    grad_h3 = grad_h3_tanh * (1 - h3_tanh**2)
    grad_h2_tanh = grad_h3 @ w2.T
    grad_h2 = grad_h2_tanh * (1 - h2_tanh**2)
    grad_w2 = h2_tanh.T @ grad_h3 + h1_tanh.T @ grad_h2
    grad_h1_tanh = grad_h2 @ w2.T
    grad_h1 = grad_h1_tanh * (1 - h1_tanh**2)
    grad_w1 = x.T @ grad_h1
    return {
        "grad_y_pred": grad_y_pred,
        "grad_w3": grad_w3,
        "grad_h3_tanh": grad_h3_tanh,
        "grad_h3": grad_h3,
        "grad_h2_tanh": grad_h2_tanh,
        "grad_h2": grad_h2,
        "grad_w2": grad_w2,
        "grad_h1_tanh": grad_h1_tanh,
        "grad_h1": grad_h1,
        "grad_w1": grad_w1,
    }


class Net(nn.Module):
    def __init__(self, d_in=5, h=6, d_out=2):
        super().__init__()
        self.h1 = nn.Linear(d_in, h, bias=False)
        self.h1_tanh = nn.Tanh()
        self.h2 = nn.Linear(h, h, bias=False)
        self.h2_tanh = nn.Tanh()
        self.h3 = nn.Linear(h, h, bias=False)
        self.h3.weight = self.h2.weight
        self.h3_tanh = nn.Tanh()
        self.y_pred = nn.Linear(h, d_out, bias=False)

    def forward(self, x):
        h2_tanh = self.h2_tanh(self.h2(self.h1_tanh(self.h1(x))))
        return self.y_pred(self.h3_tanh(self.h3(h2_tanh)))


reference = Net
loss = nn.MSELoss(reduction="sum")
