"""The vectors of a row's words are added up, a sigmoid, a sigmoid again; words may recur."""

import numpy as np


def init(rng, n=16, words=5, vocabulary=9, h=4):
    params = {
        "weights_0_1": rng.standard_normal((vocabulary, h)),
        "weights_1_2": rng.standard_normal((h, 1)),
    }
    x = rng.integers(0, vocabulary, (n, words))
    return params, x, rng.integers(0, 2, (n, 1))


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def forward(params, x, y):
    embedded = params["weights_0_1"][x]
    summed = embedded.sum(axis=1)
    layer_1 = sigmoid(summed)
    layer_2 = sigmoid(layer_1.dot(params["weights_1_2"]))
    loss = -np.sum(y * np.log(layer_2) + (1 - y) * np.log(1 - layer_2))
    return {"summed": summed, "layer_1": layer_1, "layer_2": layer_2, "loss": loss}


def backward(params, x, y, values):
    layer_1 = values["layer_1"]
    layer_2_delta = values["layer_2"] - y
    grad_layer_1 = layer_2_delta.dot(params["weights_1_2"].T)
    grad_summed = grad_layer_1 * layer_1 * (1 - layer_1)
    grad_embedded = np.repeat(grad_summed[:, None, :], x.shape[1], axis=1)
    grad_weights_0_1 = np.zeros_like(params["weights_0_1"])
    np.add.at(grad_weights_0_1, x, grad_embedded)
    grad_weights_1_2 = layer_1.T.dot(layer_2_delta)
    return {
        "grad_layer_1": grad_layer_1,
        "grad_summed": grad_summed,
        "grad_weights_0_1": grad_weights_0_1,
        "grad_weights_1_2": grad_weights_1_2,
    }
