"""Two sigmoid layers trained on half the sum of squared errors, with errors and deltas."""

import numpy as np


def init(rng, n=18, d=4, h=6, d_out=3):
    params = {"syn0": rng.standard_normal((d, h)), "syn1": rng.standard_normal((h, d_out))}
    return params, rng.standard_normal((n, d)), rng.random((n, d_out))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def forward(params, x, y):
    l1 = sigmoid(np.dot(x, params["syn0"]))
    l2 = sigmoid(np.dot(l1, params["syn1"]))
    loss = 0.5 * np.sum((l2 - y) ** 2)
    return {"l1": l1, "l2": l2, "loss": loss}


def backward(params, x, y, values):
    l1, l2 = values["l1"], values["l2"]
    grad_l2 = l2 - y
    l2_delta = grad_l2 * l2 * (1 - l2)
    grad_l1 = l2_delta.dot(params["syn1"].T)
    l1_delta = grad_l1 * l1 * (1 - l1)
    grad_syn1 = l1.T.dot(l2_delta)
    grad_syn0 = x.T.dot(l1_delta)
    return {"grad_l1": grad_l1, "grad_syn1": grad_syn1, "grad_syn0": grad_syn0}
