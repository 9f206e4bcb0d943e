"""A linear classifier with the multiclass hinge loss, and a penalty."""

import numpy as np

REG = 0.1


def init(rng, num_train=22, dim=5, classes=4):
    params = {"W": rng.standard_normal((dim, classes))}
    return params, rng.standard_normal((num_train, dim)), rng.integers(0, classes, num_train)


def forward(params, X, y):
    W = params["W"]
    num_train = X.shape[0]
    scores = X.dot(W)
    correct = scores[np.arange(num_train), y][:, None]
    margins = np.maximum(0, scores - correct + 1)
    others = np.ones(scores.shape)
    others[np.arange(num_train), y] = 0
    loss = np.sum(margins * others) / num_train + REG * np.sum(W * W)
    return {"scores": scores, "margins": margins, "loss": loss}


def backward(params, X, y, values):
    num_train = X.shape[0]
    grad_scores = np.zeros_like(values["scores"])
    grad_scores[values["margins"] > 0] = 1
    row_sum = np.sum(grad_scores, axis=1)
    grad_scores[np.arange(num_train), y] -= row_sum
    grad_scores /= num_train
    grad_W = X.T.dot(grad_scores) + 2 * REG * params["W"]
    return {"grad_scores": grad_scores, "grad_W": grad_W}
