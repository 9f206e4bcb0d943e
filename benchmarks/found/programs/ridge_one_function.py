"""Linear regression with several targets and a penalty: one function for loss and gradients."""

import numpy as np

REG = 0.3

rng = np.random.default_rng(2)
X = rng.standard_normal((20, 5))
y = rng.standard_normal((20, 3))
W = rng.standard_normal((5, 3))
b = rng.standard_normal(3)


def loss_and_gradients(W, b, X, y):
    n = X.shape[0]
    y_hat = X @ W + b
    error = y_hat - y
    loss = 0.5 * np.sum(error**2) / n + 0.5 * REG * np.sum(W * W)
    d_hat = error / n
    dW = X.T @ d_hat + REG * W
    db = np.sum(d_hat, axis=0)
    return loss, dW, db


for _ in range(3):
    loss, dW, db = loss_and_gradients(W, b, X, y)
    W -= 0.1 * dW
    b -= 0.1 * db
