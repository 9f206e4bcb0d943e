"""Layer normalization in loops over batch and time, gradients added up place by place."""

import numpy as np


def init(rng, B=3, T=4, C=5):
    params = {
        "weight": rng.standard_normal(C),
        "bias": rng.standard_normal(C),
        "head": rng.standard_normal((C, 2)),
    }
    return params, rng.standard_normal((B, T, C)), rng.standard_normal((B, T, 2))


def forward(params, x, y):
    B, T, _ = x.shape
    mean, rstd = np.zeros((B, T)), np.zeros((B, T))
    out = np.zeros_like(x)
    for b in range(B):
        for t in range(T):
            mean[b, t] = x[b, t].mean()
            rstd[b, t] = 1.0 / np.sqrt(np.mean((x[b, t] - mean[b, t]) ** 2) + 1e-5)
            norm = (x[b, t] - mean[b, t]) * rstd[b, t]
            out[b, t] = norm * params["weight"] + params["bias"]
    logits = out @ params["head"]
    loss = 0.5 * np.sum((logits - y) ** 2) / (B * T)
    return loss, (mean, rstd, out, logits)


def backward(params, x, y, cache):
    mean, rstd, out, logits = cache
    B, T, _ = x.shape
    dlogits = (logits - y) / (B * T)
    dhead = np.einsum("btc,bto->co", out, dlogits)
    dout = dlogits @ params["head"].T
    dx = np.zeros_like(x)
    dweight, dbias = np.zeros_like(params["weight"]), np.zeros_like(params["bias"])
    for b in range(B):
        for t in range(T):
            norm = (x[b, t] - mean[b, t]) * rstd[b, t]
            dbias += dout[b, t]
            dweight += dout[b, t] * norm
            dnorm = dout[b, t] * params["weight"]
            dnorm_mean = dnorm.mean()
            dnorm_norm_mean = (dnorm * norm).mean()
            dx[b, t] += (dnorm - dnorm_mean - norm * dnorm_norm_mean) * rstd[b, t]
    return {"dhead": dhead, "dx": dx, "dweight": dweight, "dbias": dbias}
