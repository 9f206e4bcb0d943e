"""Batch normalization step by step, with a small epsilon under the root."""

import numpy as np

AT_LEAST = {"n": 2}


def init(rng, n=6, d=4, h=5):
    params = {
        **{"w": rng.standard_normal((d, h)), "gamma": rng.standard_normal(h)},
        **{"beta": rng.standard_normal(h), "v": rng.standard_normal((h, 1))},
    }
    return params, rng.standard_normal((n, d)), rng.standard_normal((n, 1))


def forward(params, x, y):
    hpre = x @ params["w"]
    mu = hpre.mean(axis=0)
    xmu = hpre - mu
    var = np.mean(xmu**2, axis=0)
    ivar = 1.0 / np.sqrt(var + 1e-5)
    xhat = xmu * ivar
    out = params["gamma"] * xhat + params["beta"]
    y_pred = out @ params["v"]
    loss = np.mean((y_pred - y) ** 2)
    return loss, (xhat, ivar, out, y_pred)


def backward(params, x, y, cache):
    xhat, ivar, out, y_pred = cache
    n = len(x)
    dy_pred = 2 * (y_pred - y) / y.size
    dv = out.T @ dy_pred
    dout = dy_pred @ params["v"].T
    dgamma = (dout * xhat).sum(axis=0)
    dbeta = dout.sum(axis=0)
    dxhat = dout * params["gamma"]
    dhpre = ivar / n * (n * dxhat - dxhat.sum(axis=0) - xhat * (dxhat * xhat).sum(axis=0))
    dw = x.T @ dhpre
    return {"w": dw, "gamma": dgamma, "beta": dbeta, "v": dv}
