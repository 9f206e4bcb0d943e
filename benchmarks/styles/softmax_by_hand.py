"""A softmax and its cross entropy written out: exp, the row sums, the log of one entry."""

import numpy as np


def init(rng, n=6, d=4, h=5, classes=3):
    params = {
        **{"W1": rng.standard_normal((d, h)), "b1": rng.standard_normal(h)},
        **{"W2": rng.standard_normal((h, classes)), "b2": rng.standard_normal(classes)},
    }
    return params, rng.standard_normal((n, d)), rng.integers(0, classes, n)


def forward(params, x, y):
    h = np.maximum(0, x @ params["W1"] + params["b1"])
    scores = h @ params["W2"] + params["b2"]
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    probs = e / e.sum(axis=1, keepdims=True)
    loss = -np.log(probs[np.arange(len(x)), y]).mean()
    return {"h": h, "scores": scores, "probs": probs, "loss": loss}


def backward(params, x, y, values):
    h = values["h"]
    dscores = values["probs"].copy()
    dscores[np.arange(len(x)), y] -= 1
    dscores /= len(x)
    dW2 = h.T @ dscores
    db2 = np.sum(dscores, axis=0)
    dh = dscores @ params["W2"].T
    dh[h <= 0] = 0
    dW1 = x.T @ dh
    db1 = np.sum(dh, axis=0)
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2, "dscores": dscores}
