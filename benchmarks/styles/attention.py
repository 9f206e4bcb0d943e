"""Causal self-attention of one head, with -inf where it may not look."""

import numpy as np


def init(rng, n=2, t=4, d=3, h=4):
    params = {
        **{"Wq": rng.standard_normal((d, h)), "Wk": rng.standard_normal((d, h))},
        **{"Wv": rng.standard_normal((d, h)), "Wo": rng.standard_normal((h, d))},
    }
    return params, rng.standard_normal((n, t, d)), rng.standard_normal((n, t, d))


def softmax(z):
    e = np.exp(z - np.max(z, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def forward(params, x, y):
    q, k, v = x @ params["Wq"], x @ params["Wk"], x @ params["Wv"]
    scores = q @ k.transpose(0, 2, 1) / np.sqrt(q.shape[-1])
    future = np.triu(np.ones(scores.shape[-2:], dtype=bool), k=1)
    scores = np.where(future, -np.inf, scores)
    att = softmax(scores)
    mixed = att @ v
    out = mixed @ params["Wo"]
    loss = np.sum((out - y) ** 2)
    return loss, (q, k, v, att, mixed, out)


def backward(params, x, y, cache):
    q, k, v, att, mixed, out = cache
    dout = 2 * (out - y)
    dWo = np.einsum("nth,ntd->hd", mixed, dout)
    dmixed = dout @ params["Wo"].T
    datt = dmixed @ v.transpose(0, 2, 1)
    dv = att.transpose(0, 2, 1) @ dmixed
    dscores = att * (datt - np.sum(datt * att, axis=-1, keepdims=True))
    dscores = dscores / np.sqrt(q.shape[-1])
    dq = dscores @ k
    dk = dscores.transpose(0, 2, 1) @ q
    dWq = np.einsum("ntd,nth->dh", x, dq)
    dWk = np.einsum("ntd,nth->dh", x, dk)
    dWv = np.einsum("ntd,nth->dh", x, dv)
    return dWq, dWk, dWv, dWo
