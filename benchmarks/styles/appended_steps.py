"""A gated recurrent network whose states are appended to lists, sigmoids written out."""

import numpy as np


def init(rng, n=3, t=4, d=3, h=4):
    params = {
        **{"Wz": rng.standard_normal((d + h, h)), "bz": rng.standard_normal(h)},
        **{"Wc": rng.standard_normal((d + h, h)), "bc": rng.standard_normal(h)},
    }
    return params, rng.standard_normal((t, n, d)), rng.standard_normal((n, h))


def sigmoid(a):
    return 1.0 / (1.0 + np.exp(-a))


def forward(params, x, y):
    hs = [np.zeros((x.shape[1], len(params["bz"])), dtype=x.dtype)]
    zs, cs = [], []
    for x_t in x:
        joined = np.concatenate([x_t, hs[-1]], axis=1)
        z = sigmoid(joined @ params["Wz"] + params["bz"])
        c = np.tanh(joined @ params["Wc"] + params["bc"])
        zs.append(z)
        cs.append(c)
        hs.append(z * c + (1 - z) * hs[-1])
    loss = 0.5 * np.sum((hs[-1] - y) ** 2)
    return loss, (hs, zs, cs)


def backward(params, x, y, tape):
    hs, zs, cs = tape
    d = x.shape[2]
    dWz, dWc = np.zeros_like(params["Wz"]), np.zeros_like(params["Wc"])
    dbz, dbc = np.zeros_like(params["bz"]), np.zeros_like(params["bc"])
    dh = hs[-1] - y
    for t in range(len(x) - 1, -1, -1):
        joined = np.hstack([x[t], hs[t]])
        dz = dh * (cs[t] - hs[t])
        dc = dh * zs[t]
        daz = dz * zs[t] * (1 - zs[t])
        dac = dc * (1 - cs[t] ** 2)
        dWz += joined.T @ daz
        dbz += daz.sum(axis=0)
        dWc += joined.T @ dac
        dbc += dac.sum(axis=0)
        djoined = daz @ params["Wz"].T + dac @ params["Wc"].T
        dh = dh * (1 - zs[t]) + djoined[:, d:]
    return dWz, dbz, dWc, dbc
