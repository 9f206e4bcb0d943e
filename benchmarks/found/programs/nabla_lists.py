"""Lists of weights and biases, columns of samples, `delta` that goes back through the layers."""

import numpy as np


def init(rng, m=16, d=4, h=6, g=5, d_out=3):
    sizes = [d, h, g, d_out]
    params = {
        "weights": [rng.standard_normal((sizes[k + 1], sizes[k])) for k in range(3)],
        "biases": [rng.standard_normal((sizes[k + 1], 1)) for k in range(3)],
    }
    return params, rng.standard_normal((d, m)), rng.random((d_out, m))


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def sigmoid_prime(z):
    return sigmoid(z) * (1 - sigmoid(z))


def forward(params, x, y):
    activation = x
    activations, zs = [x], []
    for w, b in zip(params["weights"], params["biases"], strict=True):
        z = np.dot(w, activation) + b
        zs.append(z)
        activation = sigmoid(z)
        activations.append(activation)
    loss = 0.5 * np.sum((activations[-1] - y) ** 2) / x.shape[1]
    return loss, (zs, activations)


def backward(params, x, y, cache):
    zs, activations = cache
    m = x.shape[1]
    weights = params["weights"]
    nabla_b = [np.zeros_like(b) for b in params["biases"]]
    nabla_w = [np.zeros_like(w) for w in weights]
    delta = (activations[-1] - y) / m * sigmoid_prime(zs[-1])
    nabla_b[-1] = delta.sum(axis=1, keepdims=True)
    nabla_w[-1] = np.dot(delta, activations[-2].T)
    for k in range(2, len(zs) + 1):
        sp = sigmoid_prime(zs[-k])
        delta = np.dot(weights[-k + 1].T, delta) * sp
        nabla_b[-k] = delta.sum(axis=1, keepdims=True)
        nabla_w[-k] = np.dot(delta, activations[-k - 1].T)
    return {"weights": nabla_w, "biases": nabla_b}
