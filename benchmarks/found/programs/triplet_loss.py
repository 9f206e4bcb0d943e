"""Embeddings of an anchor, a positive and a negative, and the triplet loss with a margin."""

import numpy as np

MARGIN = 0.5


def init(rng, n=20, d=5, h=4):
    params = {"W": rng.standard_normal((d, h)) / 2, "b": rng.standard_normal(h)}
    x = {name: rng.standard_normal((n, d)) for name in ("anchor", "positive", "negative")}
    return params, x, None


def forward(params, x, y):
    W, b = params["W"], params["b"]
    a = np.tanh(x["anchor"] @ W + b)
    p = np.tanh(x["positive"] @ W + b)
    q = np.tanh(x["negative"] @ W + b)
    d_pos = np.sum((a - p) ** 2, axis=1)
    d_neg = np.sum((a - q) ** 2, axis=1)
    terms = np.maximum(0, d_pos - d_neg + MARGIN)
    loss = terms.mean()
    return {"a": a, "p": p, "q": q, "d_pos": d_pos, "d_neg": d_neg, "terms": terms, "loss": loss}


def backward(params, x, y, values):
    a, p, q = values["a"], values["p"], values["q"]
    active = (values["terms"] > 0)[:, None]
    num = len(a)
    grad_a = 2 * (q - p) * active / num
    grad_p = 2 * (p - a) * active / num
    grad_q = 2 * (a - q) * active / num
    grad_a_in = grad_a * (1 - a**2)
    grad_p_in = grad_p * (1 - p**2)
    grad_q_in = grad_q * (1 - q**2)
    grad_W = x["anchor"].T @ grad_a_in + x["positive"].T @ grad_p_in + x["negative"].T @ grad_q_in
    grad_b = grad_a_in.sum(axis=0) + grad_p_in.sum(axis=0) + grad_q_in.sum(axis=0)
    return {"grad_a": grad_a, "grad_p": grad_p, "grad_q": grad_q, "W": grad_W, "b": grad_b}
