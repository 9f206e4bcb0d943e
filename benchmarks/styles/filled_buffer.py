"""A recurrent loop that fills a buffer `h[t]` of states."""

import numpy as np


def init(rng, n=3, t=5, d=3, h=4):
    params = {
        **{"Wx": rng.standard_normal((d, h)), "Wh": rng.standard_normal((h, h)) / 2},
        **{"b": rng.standard_normal(h), "V": rng.standard_normal((h, 1))},
    }
    return params, rng.standard_normal((n, t, d)), rng.standard_normal((n, t, 1))


def forward(params, x, y):
    n, steps, _ = x.shape
    h = np.zeros((n, steps + 1, params["Wh"].shape[0]), dtype=x.dtype)
    for t in range(steps):
        a = x[:, t] @ params["Wx"] + h[:, t] @ params["Wh"] + params["b"]
        h[:, t + 1] = np.tanh(a)
    y_pred = h[:, 1:] @ params["V"]
    loss = ((y_pred - y) ** 2).mean()
    return loss, (h, y_pred)


def backward(params, x, y, cache):
    h, y_pred = cache
    steps = x.shape[1]
    dy_pred = 2 * (y_pred - y) / y.size
    dV = np.einsum("nth,nto->ho", h[:, 1:], dy_pred)
    dWx, dWh = np.zeros_like(params["Wx"]), np.zeros_like(params["Wh"])
    db = np.zeros_like(params["b"])
    dh = np.zeros_like(h)
    dh[:, 1:] = dy_pred @ params["V"].T
    for t in reversed(range(steps)):
        da = dh[:, t + 1] * (1 - h[:, t + 1] ** 2)
        dWx += x[:, t].T @ da
        dWh += h[:, t].T @ da
        db += da.sum(axis=0)
        dh[:, t] += da @ params["Wh"].T
    return {"Wx": dWx, "Wh": dWh, "b": db, "V": dV}
