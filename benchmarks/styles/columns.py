"""Samples are columns, and the gradients of the logits come without their 1/m."""

import numpy as np


def init(rng, n=6, d=4, h=5):
    params = {
        **{"W1": rng.standard_normal((h, d)), "b1": rng.standard_normal((h, 1))},
        **{"W2": rng.standard_normal((1, h)), "b2": rng.standard_normal((1, 1))},
    }
    return params, rng.standard_normal((d, n)), rng.integers(0, 2, (1, n))


def forward(params, X, Y):
    m = X.shape[1]
    Z1 = np.dot(params["W1"], X) + params["b1"]
    A1 = np.tanh(Z1)
    Z2 = np.dot(params["W2"], A1) + params["b2"]
    A2 = 1 / (1 + np.exp(-Z2))
    cost = -(1 / m) * np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2))
    return cost, {"A1": A1, "A2": A2}


def backward(params, X, Y, cache):
    m = X.shape[1]
    A1, A2 = cache["A1"], cache["A2"]
    dZ2 = A2 - Y
    dW2 = (1 / m) * np.dot(dZ2, A1.T)
    db2 = (1 / m) * np.sum(dZ2, axis=1, keepdims=True)
    dZ1 = np.dot(params["W2"].T, dZ2) * (1 - np.power(A1, 2))
    dW1 = (1 / m) * np.dot(dZ1, X.T)
    db1 = (1 / m) * np.sum(dZ1, axis=1, keepdims=True)
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}
