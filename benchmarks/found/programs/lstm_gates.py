"""An LSTM with a matrix for each gate, input and state joined, a target at every step."""

import numpy as np


def init(rng, steps=5, n=3, d=2, h=4, d_out=6):
    params = {}
    for gate in "fiog":
        params[f"W{gate}"] = rng.standard_normal((h + d, h)) / 2
        params[f"b{gate}"] = rng.standard_normal(h)
    params["V"] = rng.standard_normal((h, d_out))
    return params, rng.standard_normal((steps, n, d)), rng.standard_normal((steps, n, d_out))


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def forward(params, x, y):
    steps, n, _ = x.shape
    h = np.zeros((n, params["bf"].size))
    c = np.zeros((n, params["bf"].size))
    cache, loss = [], 0.0
    for t in range(steps):
        z = np.concatenate([h, x[t]], axis=1)
        f = sigmoid(z @ params["Wf"] + params["bf"])
        i = sigmoid(z @ params["Wi"] + params["bi"])
        o = sigmoid(z @ params["Wo"] + params["bo"])
        g = np.tanh(z @ params["Wg"] + params["bg"])
        c_prev = c
        c = f * c_prev + i * g
        tanh_c = np.tanh(c)
        h = o * tanh_c
        out = h @ params["V"]
        loss = loss + np.sum((out - y[t]) ** 2)
        cache.append((z, f, i, o, g, c_prev, tanh_c, h, out))
    return loss, cache


def backward(params, x, y, cache):
    grads = {name: np.zeros_like(value) for name, value in params.items()}
    size = params["bf"].size
    dh_next = np.zeros((x.shape[1], size))
    dc_next = np.zeros((x.shape[1], size))
    for t in reversed(range(len(x))):
        z, f, i, o, g, c_prev, tanh_c, h, out = cache[t]
        dout = 2 * (out - y[t])
        grads["V"] += h.T @ dout
        dh = dout @ params["V"].T + dh_next
        do = dh * tanh_c
        dc = dc_next + dh * o * (1 - tanh_c**2)
        df = dc * c_prev
        di = dc * g
        dg = dc * i
        da_f = df * f * (1 - f)
        da_i = di * i * (1 - i)
        da_o = do * o * (1 - o)
        da_g = dg * (1 - g**2)
        grads["Wf"] += z.T @ da_f
        grads["Wi"] += z.T @ da_i
        grads["Wo"] += z.T @ da_o
        grads["Wg"] += z.T @ da_g
        grads["bf"] += da_f.sum(axis=0)
        grads["bi"] += da_i.sum(axis=0)
        grads["bo"] += da_o.sum(axis=0)
        grads["bg"] += da_g.sum(axis=0)
        dz = da_f @ params["Wf"].T + da_i @ params["Wi"].T
        dz = dz + da_o @ params["Wo"].T + da_g @ params["Wg"].T
        dh_next = dz[:, :size]
        dc_next = f * dc
    return grads
