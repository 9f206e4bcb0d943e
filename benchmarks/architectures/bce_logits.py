"""Binary cross entropy of logits: targets of 0 and 1, or between."""

import numpy as np
from torch import nn

PARAMETERS = {"w": "logits.weight.T", "b": "logits.bias"}
loss_fn = nn.BCEWithLogitsLoss()


def init(rng, n=6, d=4, d_out=2):
    params = {"w": rng.standard_normal((d, d_out)), "b": rng.standard_normal(d_out)}
    y = rng.random((n, d_out))
    y = np.rint(y) if rng.random() < 0.5 else y
    return params, rng.standard_normal((n, d)) * 10.0 ** rng.uniform(0, 4), y


def forward(params, x, y):
    logits = x @ params["w"] + params["b"]
    loss = np.maximum(logits, 0) - logits * y + np.log1p(np.exp(-np.abs(logits)))
    return {"logits": logits, "loss": loss.mean()}


def backward(params, x, y, values):
    small = np.exp(-np.abs(values["logits"]))
    sigmoid = np.where(values["logits"] > 0, 1, small) / (1 + small)
    grad_logits = (sigmoid - y) / y.size
    grad_w = x.T @ grad_logits
    grad_b = grad_logits.sum(axis=0)
    return {"grad_logits": grad_logits, "grad_w": grad_w, "grad_b": grad_b}


class Net(nn.Module):
    def __init__(self, d=4, d_out=2):
        super().__init__()
        self.logits = nn.Linear(d, d_out)

    def forward(self, x):
        return self.logits(x)
