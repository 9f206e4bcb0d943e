"""A sparse autoencoder: squared error, weight decay and the KL divergence of mean activations."""

import numpy as np

RHO, BETA, DECAY = 0.2, 0.5, 0.03


def init(rng, m=20, visible=6, hidden=4):
    params = {
        "W1": rng.standard_normal((hidden, visible)),
        "b1": rng.standard_normal((hidden, 1)),
        "W2": rng.standard_normal((visible, hidden)),
        "b2": rng.standard_normal((visible, 1)),
    }
    return params, rng.random((visible, m)), None


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def forward(params, data, y):
    m = data.shape[1]
    z2 = params["W1"] @ data + params["b1"]
    a2 = sigmoid(z2)
    z3 = params["W2"] @ a2 + params["b2"]
    a3 = sigmoid(z3)
    rho_hat = np.sum(a2, axis=1, keepdims=True) / m
    kl = np.sum(RHO * np.log(RHO / rho_hat) + (1 - RHO) * np.log((1 - RHO) / (1 - rho_hat)))
    squared = np.sum((a3 - data) ** 2) / (2 * m)
    decay = DECAY / 2 * (np.sum(params["W1"] ** 2) + np.sum(params["W2"] ** 2))
    cost = squared + decay + BETA * kl
    return cost, (z2, a2, z3, a3, rho_hat)


def backward(params, data, y, cache):
    _, a2, _, a3, rho_hat = cache
    m = data.shape[1]
    delta3 = (a3 - data) / m * a3 * (1 - a3)
    sparsity = BETA / m * (-RHO / rho_hat + (1 - RHO) / (1 - rho_hat))
    delta2 = (params["W2"].T @ delta3 + sparsity) * a2 * (1 - a2)
    W1grad = delta2 @ data.T + DECAY * params["W1"]
    W2grad = delta3 @ a2.T + DECAY * params["W2"]
    b1grad = np.sum(delta2, axis=1, keepdims=True)
    b2grad = np.sum(delta3, axis=1, keepdims=True)
    return {"W1": W1grad, "W2": W2grad, "b1": b1grad, "b2": b2grad}
