"""A softmax without the largest entry taken out: `e / e.sum()`, labels one-hot."""

import numpy as np


def init(rng, n=6, d=4, classes=3):
    params = {"W": rng.standard_normal((d, classes)), "b": rng.standard_normal(classes)}
    return params, rng.standard_normal((n, d)), rng.integers(0, classes, n)


def forward(params, x, y):
    onehot = np.eye(params["W"].shape[1])[y]
    logits = x @ params["W"] + params["b"]
    e = np.exp(logits)
    p = e / np.sum(e, axis=1, keepdims=True)
    loss = -np.sum(onehot * np.log(p)) / len(x)
    return loss, {"onehot": onehot, "p": p}


def backward(params, x, y, cache):
    dlogits = (cache["p"] - cache["onehot"]) / len(x)
    return {"W": x.T @ dlogits, "b": dlogits.sum(axis=0)}
