"""Layer normalization of each token as a layer, and a dense layer after it."""

import numpy as np


class LayerNorm:
    def __init__(self, gamma, beta, eps=1e-3):
        self.gamma, self.beta, self.eps = gamma, beta, eps

    def forward(self, x):
        mean = x.mean(axis=-1, keepdims=True)
        self.std_inv = 1 / np.sqrt(x.var(axis=-1, keepdims=True) + self.eps)
        self.x_hat = (x - mean) * self.std_inv
        return self.gamma * self.x_hat + self.beta

    def backward(self, error):
        feature_size = error.shape[-1]
        self.grad_gamma = np.sum(error * self.x_hat, axis=(0, 1))
        self.grad_beta = np.sum(error, axis=(0, 1))
        dx_hat = error * self.gamma
        total = np.sum(dx_hat, axis=-1, keepdims=True)
        along = self.x_hat * np.sum(dx_hat * self.x_hat, axis=-1, keepdims=True)
        dx = self.std_inv * (dx_hat - total / feature_size - along / feature_size)
        return dx


class Dense:
    def __init__(self, w, b):
        self.w, self.b = w, b

    def forward(self, x):
        self.input_data = x
        return x @ self.w + self.b

    def backward(self, error):
        self.grad_w = np.matmul(self.input_data.transpose(0, 2, 1), error).sum(axis=0)
        self.grad_b = np.sum(error, axis=(0, 1))
        return error @ self.w.T


def init(rng, n=4, seq=5, d=6, d_in=3, d_out=2):
    params = {
        "w1": rng.standard_normal((d_in, d)),
        "b1": rng.standard_normal(d),
        "gamma": rng.standard_normal(d),
        "beta": rng.standard_normal(d),
        "w2": rng.standard_normal((d, d_out)),
        "b2": rng.standard_normal(d_out),
    }
    return params, rng.standard_normal((n, seq, d_in)), rng.standard_normal((n, seq, d_out))


def forward(params, x, y):
    first = Dense(params["w1"], params["b1"])
    norm = LayerNorm(params["gamma"], params["beta"])
    last = Dense(params["w2"], params["b2"])
    out = last.forward(norm.forward(first.forward(x)))
    loss = np.mean((out - y) ** 2)
    return loss, (first, norm, last, out)


def backward(params, x, y, cache):
    first, norm, last, out = cache
    error = 2 * (out - y) / y.size
    first.backward(norm.backward(last.backward(error)))
    return {
        "w1": first.grad_w,
        "b1": first.grad_b,
        "gamma": norm.grad_gamma,
        "beta": norm.grad_beta,
        "w2": last.grad_w,
        "b2": last.grad_b,
    }
