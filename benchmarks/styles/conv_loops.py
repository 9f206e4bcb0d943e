"""A convolution in loops over its places, a ReLU and the mean over the image."""

import numpy as np

AT_LEAST = {"side": 3}


def init(rng, n=2, channels=2, side=4, filters=3):
    params = {
        **{"K": rng.standard_normal((filters, channels, 2, 2)), "b": rng.standard_normal(filters)},
        "W": rng.standard_normal((filters, 2)),
    }
    return params, rng.standard_normal((n, channels, side, side)), rng.standard_normal((n, 2))


def forward(params, x, y):
    K, b = params["K"], params["b"]
    n, _, height, width = x.shape
    out = np.zeros((n, len(K), height - 1, width - 1), dtype=x.dtype)
    for i in range(height - 1):
        for j in range(width - 1):
            patch = x[:, :, i : i + 2, j : j + 2]
            for f in range(len(K)):
                out[:, f, i, j] = np.sum(patch * K[f], axis=(1, 2, 3)) + b[f]
    act = np.maximum(out, 0)
    pooled = act.mean(axis=(2, 3))
    y_pred = pooled @ params["W"]
    loss = np.square(y_pred - y).mean()
    return {"out": out, "pooled": pooled, "y_pred": y_pred, "loss": loss}


def backward(params, x, y, cache):
    K = params["K"]
    out = cache["out"]
    dy_pred = 2 * (cache["y_pred"] - y) / y.size
    dW = cache["pooled"].T @ dy_pred
    dpooled = dy_pred @ params["W"].T
    places = out.shape[2] * out.shape[3]
    dout = dpooled[:, :, None, None] / places * (out > 0)
    dK, dx = np.zeros_like(K), np.zeros_like(x)
    for i in range(out.shape[2]):
        for j in range(out.shape[3]):
            for f in range(len(K)):
                upstream = dout[:, f, i, j][:, None, None, None]
                dK[f] += np.sum(x[:, :, i : i + 2, j : j + 2] * upstream, axis=0)
                dx[:, :, i : i + 2, j : j + 2] += K[f] * upstream
    db = dout.sum(axis=(0, 2, 3))
    return {"dK": dK, "db": db, "dW": dW, "dx": dx}
