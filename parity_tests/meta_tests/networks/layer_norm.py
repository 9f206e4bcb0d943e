"""A layer norm between two products."""

import numpy as np
from torch import nn

EPS = 1e-5


def init(rng, n=24, d_in=5, h1=6, d_out=2):
    x = rng.standard_normal((n, d_in))
    y = rng.standard_normal((n, d_out))
    params = {
        "w1": rng.standard_normal((d_in, h1)),
        "b1": rng.standard_normal(h1),
        "gamma": rng.standard_normal(h1),
        "beta": rng.standard_normal(h1),
        "w2": rng.standard_normal((h1, d_out)),
        "b2": rng.standard_normal(d_out),
    }
    return params, x, y


def statistics(h1):
    mean = h1.mean(axis=1, keepdims=True)
    spread = 1 / np.sqrt(np.square(h1 - mean).mean(axis=1, keepdims=True) + EPS)
    return mean, spread


def forward(params, x, y):
    h1 = x @ params["w1"] + params["b1"]
    mean, spread = statistics(h1)
    h1_norm = (h1 - mean) * spread * params["gamma"] + params["beta"]
    h1_sigm = 1 / (1 + np.exp(-h1_norm))
    y_pred = h1_sigm @ params["w2"] + params["b2"]
    loss = np.square(y_pred - y).sum()
    return {
        "h1": h1,
        "h1_norm": h1_norm,
        "h1_sigm": h1_sigm,
        "y_pred": y_pred,
        "loss": loss,
    }


def backward(params, x, y, values):
    w2, gamma = params["w2"], params["gamma"]
    h1, h1_sigm = values["h1"], values["h1_sigm"]
    grad_y_pred = 2.0 * (values["y_pred"] - y)
    grad_w2 = h1_sigm.T @ grad_y_pred
    grad_b2 = grad_y_pred.sum(axis=0)
    grad_h1_sigm = grad_y_pred @ w2.T
    grad_h1_norm = grad_h1_sigm * h1_sigm * (1 - h1_sigm)
    mean, spread = statistics(h1)
    unit = (h1 - mean) * spread
    grad_gamma = (grad_h1_norm * unit).sum(axis=0)
    grad_beta = grad_h1_norm.sum(axis=0)
    grad_unit = grad_h1_norm * gamma
    grad_h1 = spread * (
        grad_unit
        - grad_unit.mean(axis=1, keepdims=True)
        - unit * (grad_unit * unit).mean(axis=1, keepdims=True)
    )
    grad_w1 = x.T @ grad_h1
    grad_b1 = grad_h1.sum(axis=0)
    return {
        "grad_y_pred": grad_y_pred,
        "grad_w2": grad_w2,
        "grad_b2": grad_b2,
        "grad_h1_sigm": grad_h1_sigm,
        "grad_h1_norm": grad_h1_norm,
        "grad_gamma": grad_gamma,
        "grad_beta": grad_beta,
        "grad_h1": grad_h1,
        "grad_w1": grad_w1,
        "grad_b1": grad_b1,
    }


class Net(nn.Module):
    def __init__(self, d_in=5, h1=6, d_out=2):
        super().__init__()
        self.h1 = nn.Linear(d_in, h1)
        self.h1_norm = nn.LayerNorm(h1, eps=EPS)
        self.h1_sigm = nn.Sigmoid()
        self.y_pred = nn.Linear(h1, d_out)

    def forward(self, x):
        return self.y_pred(self.h1_sigm(self.h1_norm(self.h1(x))))


reference = Net
loss = nn.MSELoss(reduction="sum")
