"""A loop over lists: of weights, of biases, of what each layer gave."""

from itertools import pairwise

import numpy as np


def init(rng, n=6, d=4, h=5, d_out=2):
    sizes = [d, h, h, d_out]
    params = {
        "weights": [rng.standard_normal(pair) for pair in pairwise(sizes)],
        "biases": [rng.standard_normal(size) for size in sizes[1:]],
    }
    return params, rng.standard_normal((n, d)), rng.standard_normal((n, d_out))


def forward(params, x, y):
    activations, zs = [x], []
    for w, b in zip(params["weights"], params["biases"], strict=True):
        z = np.dot(activations[-1], w) + b
        zs.append(z)
        activations.append(np.maximum(z, 0.1 * z))
    loss = np.square(activations[-1] - y).sum() / 2
    return loss, zs, activations


def backward(params, x, y, zs, activations):
    grads: dict[str, list] = {"weights": [], "biases": []}
    delta = activations[-1] - y
    for i in range(len(zs) - 1, -1, -1):
        delta = delta * np.where(zs[i] > 0, 1.0, 0.1)
        grads["weights"].insert(0, np.dot(activations[i].T, delta))
        grads["biases"].insert(0, delta.sum(axis=0))
        delta = np.dot(delta, params["weights"][i].T)
    return grads
