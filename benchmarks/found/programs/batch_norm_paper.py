"""Batch normalization by the paper's formulas: dvar, dmu and dx, then a dense layer."""

import numpy as np

EPS = 1e-3


def init(rng, N=18, D=4, H=6, O=3):  # noqa: E741
    params = {
        "W": rng.standard_normal((D, H)),
        "gamma": rng.standard_normal(H),
        "beta": rng.standard_normal(H),
        "V": rng.standard_normal((H, O)),
    }
    return params, rng.standard_normal((N, D)), rng.standard_normal((N, O))


def forward(params, x, y):
    h = x @ params["W"]
    mu = h.mean(axis=0)
    var = h.var(axis=0)
    std_inv = 1 / np.sqrt(var + EPS)
    h_hat = (h - mu) * std_inv
    bn = params["gamma"] * h_hat + params["beta"]
    out = bn @ params["V"]
    loss = np.sum((out - y) ** 2) / len(x)
    return loss, (h, mu, std_inv, h_hat, bn, out)


def backward(params, x, y, cache):
    h, mu, std_inv, h_hat, bn, out = cache
    N = len(x)
    dout = 2 * (out - y) / N
    dV = bn.T @ dout
    dbn = dout @ params["V"].T
    dgamma = np.sum(dbn * h_hat, axis=0)
    dbeta = np.sum(dbn, axis=0)
    dh_hat = dbn * params["gamma"]
    dvar = np.sum(dh_hat * (h - mu), axis=0) * -0.5 * std_inv**3
    dmu = -np.sum(dh_hat * std_inv, axis=0)
    dh = dh_hat * std_inv + dvar * 2 * (h - mu) / N + dmu / N
    dW = x.T @ dh
    return {"dV": dV, "dgamma": dgamma, "dbeta": dbeta, "dh": dh, "dW": dW}
