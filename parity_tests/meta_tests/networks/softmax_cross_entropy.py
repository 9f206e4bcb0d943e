"""A classifier: softmax and cross entropy on whole-number labels."""

import numpy as np
from torch import nn


def init(rng, n=24, d_in=5, h1=6, classes=4):
    x = rng.standard_normal((n, d_in))
    y = rng.integers(0, classes, n)
    params = {
        "w1": rng.standard_normal((d_in, h1)),
        "b1": rng.standard_normal(h1),
        "w2": rng.standard_normal((h1, classes)),
        "b2": rng.standard_normal(classes),
    }
    return params, x, y


def softmax(scores):
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def forward(params, x, y):
    h1 = x @ params["w1"] + params["b1"]
    h1_relu = np.maximum(h1, 0)
    scores = h1_relu @ params["w2"] + params["b2"]
    top = scores.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(scores - top).sum(axis=1)) + top[:, 0]
    loss = (log_sum - scores[np.arange(len(y)), y]).sum()
    return {"h1": h1, "h1_relu": h1_relu, "scores": scores, "loss": loss}


def backward(params, x, y, values):
    w2 = params["w2"]
    h1, h1_relu, scores = values["h1"], values["h1_relu"], values["scores"]
    picked = np.eye(scores.shape[1])[y]
    grad_scores = softmax(scores) - picked
    grad_w2 = h1_relu.T @ grad_scores
    grad_b2 = grad_scores.sum(axis=0)
    grad_h1_relu = grad_scores @ w2.T
    grad_h1 = grad_h1_relu * (h1 > 0)
    grad_w1 = x.T @ grad_h1
    grad_b1 = grad_h1.sum(axis=0)
    return {
        "grad_scores": grad_scores,
        "grad_w2": grad_w2,
        "grad_b2": grad_b2,
        "grad_h1_relu": grad_h1_relu,
        "grad_h1": grad_h1,
        "grad_w1": grad_w1,
        "grad_b1": grad_b1,
    }


class Net(nn.Module):
    def __init__(self, d_in=5, h1=6, classes=4):
        super().__init__()
        self.h1 = nn.Linear(d_in, h1)
        self.h1_relu = nn.ReLU()
        self.scores = nn.Linear(h1, classes)

    def forward(self, x):
        return self.scores(self.h1_relu(self.h1(x)))


reference = Net
loss = nn.CrossEntropyLoss(reduction="sum")
