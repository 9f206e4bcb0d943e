"""Logistic regression with a penalty on all but the intercept, theta[0]."""

import numpy as np

LAMBDA = 3.0


def init(rng, m=21, n=5):
    theta = rng.standard_normal(n)
    X = np.column_stack([np.ones(m), rng.standard_normal((m, n - 1))])
    return {"theta": theta}, X, rng.integers(0, 2, m)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def forward(params, X, y):
    theta = params["theta"]
    m = len(y)
    z = X @ theta
    h = sigmoid(z)
    J = -np.sum(y * np.log(h) + (1 - y) * np.log(1 - h)) / m
    J = J + LAMBDA / (2 * m) * np.sum(theta[1:] ** 2)
    return {"z": z, "h": h, "loss": J}


def backward(params, X, y, values):
    theta = params["theta"]
    m = len(y)
    grad_z = (values["h"] - y) / m
    penalised = theta.copy()
    penalised[0] = 0
    grad_theta = X.T @ grad_z + LAMBDA / m * penalised
    return {"grad_z": grad_z, "grad_theta": grad_theta}
