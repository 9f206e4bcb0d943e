"""Parameters in dicts within dicts; the gradients have the same form."""

import numpy as np


def init(rng, n=6, d=4, h=5, d_out=2):
    params = {
        "encoder": {"w": rng.standard_normal((d, h)), "b": rng.standard_normal(h)},
        "decoder": {"w": rng.standard_normal((h, d_out)), "b": rng.standard_normal(d_out)},
    }
    return params, rng.standard_normal((n, d)), rng.standard_normal((n, d_out))


def softplus(z):
    return np.log1p(np.exp(z))


def forward(params, x, y):
    enc, dec = params["encoder"], params["decoder"]
    z = x @ enc["w"] + enc["b"]
    code = softplus(z)
    out = code @ dec["w"] + dec["b"]
    return {"z": z, "code": code, "out": out, "loss": ((out - y) ** 2).mean()}


def backward(params, x, y, values):
    grad_out = 2 * (values["out"] - y) / y.size
    grad_code = grad_out @ params["decoder"]["w"].T
    grad_z = grad_code / (1 + np.exp(-values["z"]))
    return {
        "encoder": {"w": x.T @ grad_z, "b": grad_z.sum(0)},
        "decoder": {"w": values["code"].T @ grad_out, "b": grad_out.sum(0)},
    }
