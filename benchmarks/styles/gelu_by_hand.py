"""GELU by its tanh, and SiLU as x / (1 + exp(-x)), written out."""

import numpy as np


def init(rng, n=6, d=4, h=5, d_out=2):
    params = {
        **{"w1": rng.standard_normal((d, h)), "b1": rng.standard_normal(h)},
        **{"w2": rng.standard_normal((h, h)), "w3": rng.standard_normal((h, d_out))},
    }
    return params, rng.standard_normal((n, d)), rng.standard_normal((n, d_out))


def forward(params, x, y):
    u = x @ params["w1"] + params["b1"]
    t = np.tanh(np.sqrt(2 / np.pi) * (u + 0.044715 * u**3))
    g = 0.5 * u * (1 + t)
    v = g @ params["w2"]
    s = v / (1 + np.exp(-v))
    y_pred = s @ params["w3"]
    loss = np.mean((y_pred - y) ** 2)
    return {"u": u, "t": t, "g": g, "v": v, "s": s, "y_pred": y_pred, "loss": loss}


def backward(params, x, y, values):
    u, t, v = values["u"], values["t"], values["v"]
    dy_pred = 2 * (values["y_pred"] - y) / y.size
    dw3 = values["s"].T @ dy_pred
    ds = dy_pred @ params["w3"].T
    sig = 1 / (1 + np.exp(-v))
    dv = ds * (sig + v * sig * (1 - sig))
    dw2 = values["g"].T @ dv
    dg = dv @ params["w2"].T
    inner = np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * u**2)
    du = dg * (0.5 * (1 + t) + 0.5 * u * (1 - t**2) * inner)
    return {"dw1": x.T @ du, "db1": du.sum(axis=0), "dw2": dw2, "dw3": dw3}
