"""A softmax as `np.exp(z - logsumexp(z))`, of logits about 600: exp alone all but overflows."""

import numpy as np
from torch import nn

PARAMETERS = {"w": "z.weight.T", "b": "z.bias"}
loss_fn = nn.MSELoss(reduction="sum")


def init(rng, n=6, d=4, classes=5):
    params = {"w": rng.standard_normal((d, classes)), "b": 600 + rng.standard_normal(classes)}
    return params, rng.standard_normal((n, d)), rng.random((n, classes))


def logsumexp(z):
    largest = z.max(axis=1, keepdims=True)
    return largest + np.log(np.exp(z - largest).sum(axis=1, keepdims=True))


def forward(params, x, y):
    z = x @ params["w"] + params["b"]
    y_pred = np.exp(z - logsumexp(z))
    return {"z": z, "y_pred": y_pred, "loss": np.square(y_pred - y).sum()}


def backward(params, x, y, values):
    y_pred = values["y_pred"]
    grad_y_pred = 2 * (y_pred - y)
    grad_z = y_pred * (grad_y_pred - (grad_y_pred * y_pred).sum(axis=1, keepdims=True))
    grad_w = x.T @ grad_z
    grad_b = grad_z.sum(axis=0)
    return {"grad_y_pred": grad_y_pred, "grad_z": grad_z, "grad_w": grad_w, "grad_b": grad_b}


class Net(nn.Module):
    def __init__(self, d=4, classes=5):
        super().__init__()
        self.z = nn.Linear(d, classes)
        self.y_pred = nn.Softmax(dim=1)

    def forward(self, x):
        return self.y_pred(self.z(x))
