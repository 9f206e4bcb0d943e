"""Skip-gram with negative sampling: a centre word, an outside word, and some that may recur."""

import numpy as np


def init(rng, n=16, vocabulary=8, dim=4, K=5):
    params = {
        "centerVecs": rng.standard_normal((vocabulary, dim)),
        "outsideVecs": rng.standard_normal((vocabulary, dim)),
    }
    x = rng.integers(0, vocabulary, (n, K + 1))
    return params, x, rng.integers(0, vocabulary, n)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def forward(params, x, y):
    center, negative = x[:, 0], x[:, 1:]
    v = params["centerVecs"][center]
    u_o = params["outsideVecs"][y]
    u_k = params["outsideVecs"][negative]
    p_o = sigmoid(np.sum(u_o * v, axis=1))
    p_k = sigmoid(-np.einsum("nkd,nd->nk", u_k, v))
    loss = -np.sum(np.log(p_o)) - np.sum(np.log(p_k))
    return {"v": v, "u_o": u_o, "u_k": u_k, "p_o": p_o, "p_k": p_k, "loss": loss}


def backward(params, x, y, values):
    center, negative = x[:, 0], x[:, 1:]
    v, p_o, p_k = values["v"], values["p_o"], values["p_k"]
    err_o, err_k = p_o - 1, 1 - p_k
    grad_u_o = err_o[:, None] * v
    grad_u_k = err_k[:, :, None] * v[:, None, :]
    grad_v = err_o[:, None] * values["u_o"] + np.einsum("nk,nkd->nd", err_k, values["u_k"])
    grad_centerVecs = np.zeros_like(params["centerVecs"])
    np.add.at(grad_centerVecs, center, grad_v)
    grad_outsideVecs = np.zeros_like(params["outsideVecs"])
    np.add.at(grad_outsideVecs, y, grad_u_o)
    np.add.at(grad_outsideVecs, negative, grad_u_k)
    return {
        "grad_u_o": grad_u_o,
        "grad_u_k": grad_u_k,
        "grad_v": grad_v,
        "grad_centerVecs": grad_centerVecs,
        "grad_outsideVecs": grad_outsideVecs,
    }
