"""Only the loss and a few arrays are returned; the rest are locals of either pass."""

import numpy as np


def init(rng, n=6, d=4, h=5, d_out=2):
    params = {
        **{"W1": rng.standard_normal((d, h)), "b1": rng.standard_normal(h)},
        **{"W2": rng.standard_normal((h, d_out)), "b2": rng.standard_normal(d_out)},
    }
    return params, rng.standard_normal((n, d)), rng.standard_normal((n, d_out))


def forward(params, x, y):
    z1 = x @ params["W1"] + params["b1"]
    a1 = np.tanh(z1)
    y_pred = a1 @ params["W2"] + params["b2"]
    loss = 0.5 * np.mean((y_pred - y) ** 2)
    return loss, a1, y_pred


def backward(params, x, y, a1, y_pred):
    dy_pred = (y_pred - y) / y.size
    dW2 = a1.T @ dy_pred
    db2 = dy_pred.sum(axis=0)
    da1 = dy_pred @ params["W2"].T
    dz1 = da1 * (1 - a1 * a1)
    dW1 = x.T @ dz1
    db1 = dz1.sum(axis=0)
    return dW1, db1, dW2, db2
