"""A residual stream with RMS normalization before the ReLU network, twice."""

import numpy as np

EPS = 1e-2


def init(rng, n=17, d=5, h=7):
    params = {
        "g1": rng.standard_normal(d),
        "w1": rng.standard_normal((d, h)),
        "v1": rng.standard_normal((h, d)),
        "g2": rng.standard_normal(d),
        "w2": rng.standard_normal((d, h)),
        "v2": rng.standard_normal((h, d)),
    }
    return params, rng.standard_normal((n, d)), rng.standard_normal((n, d))


def forward(params, x, y):
    r1 = 1 / np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + EPS)
    norm1 = x * r1
    a1 = (norm1 * params["g1"]) @ params["w1"]
    res1 = x + np.maximum(a1, 0) @ params["v1"]
    r2 = 1 / np.sqrt(np.mean(res1**2, axis=-1, keepdims=True) + EPS)
    norm2 = res1 * r2
    a2 = (norm2 * params["g2"]) @ params["w2"]
    out = res1 + np.maximum(a2, 0) @ params["v2"]
    loss = np.mean((out - y) ** 2)
    values = {"r1": r1, "norm1": norm1, "a1": a1, "res1": res1, "r2": r2, "norm2": norm2}
    return values | {"a2": a2, "out": out, "loss": loss}


def backward(params, x, y, values):
    norm1, norm2 = values["norm1"], values["norm2"]
    a1, a2 = values["a1"], values["a2"]
    dout = 2 * (values["out"] - y) / y.size
    dv2 = np.maximum(a2, 0).T @ dout
    da2 = dout @ params["v2"].T * (a2 > 0)
    dscaled2 = da2 @ params["w2"].T
    dnorm2 = dscaled2 * params["g2"]
    dres1_norm = values["r2"] * (dnorm2 - norm2 * np.mean(dnorm2 * norm2, axis=-1, keepdims=True))
    dres1 = dout + dres1_norm
    dv1 = np.maximum(a1, 0).T @ dres1
    da1 = dres1 @ params["v1"].T * (a1 > 0)
    dscaled1 = da1 @ params["w1"].T
    return {
        "g2": np.sum(dscaled2 * norm2, axis=0),
        "w2": (norm2 * params["g2"]).T @ da2,
        "v2": dv2,
        "g1": np.sum(dscaled1 * norm1, axis=0),
        "w1": (norm1 * params["g1"]).T @ da1,
        "v1": dv1,
        "dres1": dres1,
    }
