"""Linear, batch norm as in training, ReLU, linear. The module keeps running averages."""

import numpy as np
from torch import nn

PARAMETERS = {
    **{"w1": "h.weight.T", "b1": "h.bias", "gamma": "norm.weight", "beta": "norm.bias"},
    **{"w2": "y_pred.weight.T", "b2": "y_pred.bias"},
}
AT_LEAST = {"n": 2}
loss_fn = nn.MSELoss()


def init(rng, n=8, d_in=4, h=5, d_out=2):
    params = {
        **{"w1": rng.standard_normal((d_in, h)), "b1": rng.standard_normal(h)},
        **{"gamma": rng.standard_normal(h), "beta": rng.standard_normal(h)},
        **{"w2": rng.standard_normal((h, d_out)), "b2": rng.standard_normal(d_out)},
    }
    return params, rng.standard_normal((n, d_in)), rng.standard_normal((n, d_out))


def forward(params, x, y):
    h = x @ params["w1"] + params["b1"]
    standard = (h - h.mean(axis=0)) / np.sqrt(h.var(axis=0) + 1e-5)
    norm = params["gamma"] * standard + params["beta"]
    relu = np.maximum(norm, 0)
    y_pred = relu @ params["w2"] + params["b2"]
    loss = np.square(y_pred - y).mean()
    return {"h": h, "norm": norm, "relu": relu, "y_pred": y_pred, "loss": loss}


def backward(params, x, y, values):
    h = values["h"]
    spread = np.sqrt(h.var(axis=0) + 1e-5)
    standard = (h - h.mean(axis=0)) / spread
    grad_y_pred = 2 * (values["y_pred"] - y) / y.size
    grad_w2 = values["relu"].T @ grad_y_pred
    grad_b2 = grad_y_pred.sum(axis=0)
    grad_relu = grad_y_pred @ params["w2"].T
    grad_norm = grad_relu * (values["norm"] > 0)
    grad_gamma = (grad_norm * standard).sum(axis=0)
    grad_beta = grad_norm.sum(axis=0)
    grad_h = params["gamma"] / spread * (grad_norm - (grad_beta + standard * grad_gamma) / len(x))
    grad_w1 = x.T @ grad_h
    grad_b1 = grad_h.sum(axis=0)
    return {
        **{"grad_y_pred": grad_y_pred, "grad_w2": grad_w2, "grad_b2": grad_b2},
        **{"grad_relu": grad_relu, "grad_norm": grad_norm, "grad_gamma": grad_gamma},
        **{"grad_beta": grad_beta, "grad_h": grad_h, "grad_w1": grad_w1, "grad_b1": grad_b1},
    }


class Net(nn.Module):
    def __init__(self, d_in=4, h=5, d_out=2):
        super().__init__()
        self.h = nn.Linear(d_in, h)
        self.norm = nn.BatchNorm1d(h)
        self.relu = nn.ReLU()
        self.y_pred = nn.Linear(h, d_out)

    def forward(self, x):
        return self.y_pred(self.relu(self.norm(self.h(x))))
