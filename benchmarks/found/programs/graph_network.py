"""A graph convolution over edges that have a direction, and a second one to the classes."""

import numpy as np


def init(rng, nodes=16, d=5, h=6, classes=3):
    params = {"W0": rng.standard_normal((d, h)), "W1": rng.standard_normal((h, classes))}
    adjacency = rng.random((nodes, nodes)) < 0.3
    A = adjacency + np.eye(nodes)
    A_hat = A / A.sum(axis=1, keepdims=True)
    x = {"A_hat": A_hat, "X": rng.standard_normal((nodes, d))}
    return params, x, rng.integers(0, classes, nodes)


def forward(params, x, y):
    A_hat, X = x["A_hat"], x["X"]
    support0 = X @ params["W0"]
    pre = A_hat @ support0
    hidden = np.maximum(pre, 0)
    support1 = hidden @ params["W1"]
    logits = A_hat @ support1
    exps = np.exp(logits - logits.max(axis=1, keepdims=True))
    probs = exps / exps.sum(axis=1, keepdims=True)
    loss = -np.mean(np.log(probs[np.arange(len(y)), y]))
    values = {"support0": support0, "pre": pre, "hidden": hidden, "support1": support1}
    return values | {"logits": logits, "probs": probs, "loss": loss}


def backward(params, x, y, values):
    A_hat, X = x["A_hat"], x["X"]
    grad_logits = values["probs"].copy()
    grad_logits[np.arange(len(y)), y] -= 1
    grad_logits /= len(y)
    grad_support1 = A_hat.T @ grad_logits
    grad_W1 = values["hidden"].T @ grad_support1
    grad_hidden = grad_support1 @ params["W1"].T
    grad_pre = grad_hidden * (values["pre"] > 0)
    grad_support0 = A_hat.T @ grad_pre
    grad_W0 = X.T @ grad_support0
    return {
        "grad_logits": grad_logits,
        "grad_support1": grad_support1,
        "grad_hidden": grad_hidden,
        "grad_pre": grad_pre,
        "grad_support0": grad_support0,
        "grad_W0": grad_W0,
        "grad_W1": grad_W1,
    }
