"""Cross entropy with logits of any size, up to 1e8: rows that are sure, and may be surely wrong."""

import numpy as np
from torch import nn

PARAMETERS = {"w": "logits.weight.T", "b": "logits.bias"}
loss_fn = nn.CrossEntropyLoss()


def init(rng, n=6, d=4, classes=5):
    params = {"w": rng.standard_normal((d, classes)), "b": rng.standard_normal(classes)}
    x = rng.standard_normal((n, d)) * 10.0 ** rng.uniform(0, 8)
    return params, x, rng.integers(0, classes, n)


def log_softmax(logits):
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def forward(params, x, y):
    logits = x @ params["w"] + params["b"]
    return {"logits": logits, "loss": -log_softmax(logits)[np.arange(len(y)), y].mean()}


def backward(params, x, y, values):
    grad_logits = np.exp(log_softmax(values["logits"]))
    grad_logits[np.arange(len(y)), y] -= 1
    grad_logits /= len(y)
    grad_w = x.T @ grad_logits
    grad_b = grad_logits.sum(axis=0)
    return {"grad_logits": grad_logits, "grad_w": grad_w, "grad_b": grad_b}


class Net(nn.Module):
    def __init__(self, d=4, classes=5):
        super().__init__()
        self.logits = nn.Linear(d, classes)

    def forward(self, x):
        return self.logits(x)
