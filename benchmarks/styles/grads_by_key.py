"""`grads["W1"] = ...`: the gradients lie in a dict under the parameters' own names."""

import numpy as np


def init(rng, n=6, d=4, h=5):
    params = {
        **{"W1": rng.standard_normal((d, h)), "b1": rng.standard_normal((1, h))},
        **{"W2": rng.standard_normal((h, 1)), "b2": rng.standard_normal((1, 1))},
    }
    return params, rng.standard_normal((n, d)), rng.integers(0, 2, (n, 1)).astype(float)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def forward(params, x, y):
    cache = {}
    cache["Z1"] = x @ params["W1"] + params["b1"]
    cache["A1"] = sigmoid(cache["Z1"])
    cache["Z2"] = cache["A1"] @ params["W2"] + params["b2"]
    cache["A2"] = sigmoid(cache["Z2"])
    loss = np.sum((cache["A2"] - y) ** 2) / len(x)
    return loss, cache


def backward(params, x, y, cache):
    grads = {}
    A1, A2 = cache["A1"], cache["A2"]
    dA2 = 2 * (A2 - y) / len(x)
    dZ2 = dA2 * A2 * (1 - A2)
    grads["W2"] = A1.T @ dZ2
    grads["b2"] = dZ2.sum(axis=0, keepdims=True)
    dA1 = dZ2 @ params["W2"].T
    dZ1 = dA1 * A1 * (1 - A1)
    grads["W1"] = x.T @ dZ1
    grads["b1"] = dZ1.sum(axis=0, keepdims=True)
    return grads
