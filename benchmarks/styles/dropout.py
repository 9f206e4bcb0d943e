"""Inverted dropout with a mask, and an L2 penalty on the weights."""

import numpy as np

KEEP, DECAY = 0.8, 0.01


def init(rng, n=6, d=4, h=5, d_out=2):
    params = {
        **{"w1": rng.standard_normal((d, h)), "b1": rng.standard_normal(h)},
        **{"w2": rng.standard_normal((h, d_out)), "b2": rng.standard_normal(d_out)},
    }
    return params, rng.standard_normal((n, d)), rng.standard_normal((n, d_out))


def forward(params, x, y):
    z1 = x @ params["w1"] + params["b1"]
    a1 = np.where(z1 > 0, z1, 0)
    mask = (np.random.default_rng(1).random(a1.shape) < KEEP) / KEEP
    a1d = a1 * mask
    y_pred = a1d @ params["w2"] + params["b2"]
    data_loss = np.square(y_pred - y).sum() / len(x)
    penalty = DECAY * (np.sum(params["w1"] ** 2) + np.sum(params["w2"] ** 2))
    loss = data_loss + penalty
    return loss, {"z1": z1, "mask": mask, "a1d": a1d, "y_pred": y_pred}


def backward(params, x, y, cache):
    dy_pred = 2 * (cache["y_pred"] - y) / len(x)
    dw2 = cache["a1d"].T @ dy_pred + 2 * DECAY * params["w2"]
    db2 = dy_pred.sum(axis=0)
    da1 = dy_pred @ params["w2"].T * cache["mask"]
    dz1 = da1 * (cache["z1"] > 0)
    dw1 = x.T @ dz1 + 2 * DECAY * params["w1"]
    db1 = dz1.sum(axis=0)
    return {"w1_grad": dw1, "b1_grad": db1, "w2_grad": dw2, "b2_grad": db2}
