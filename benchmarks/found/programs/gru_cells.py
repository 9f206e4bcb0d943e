"""A GRU in a loop, its last state against a target: update gate z, reset gate r, candidate hh."""

import numpy as np


def init(rng, steps=5, n=4, d=3, h=6):
    params = {}
    for gate in ("z", "r", "h"):
        params[f"W{gate}"] = rng.standard_normal((d, h)) / 2
        params[f"U{gate}"] = rng.standard_normal((h, h)) / 2
        params[f"b{gate}"] = rng.standard_normal(h)
    return params, rng.standard_normal((steps, n, d)), rng.standard_normal((n, h))


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def forward(params, x, y):
    p = params
    s = np.zeros((x.shape[1], p["bz"].size))
    tape = []
    for t in range(len(x)):
        z = sigmoid(x[t] @ p["Wz"] + s @ p["Uz"] + p["bz"])
        r = sigmoid(x[t] @ p["Wr"] + s @ p["Ur"] + p["br"])
        hh = np.tanh(x[t] @ p["Wh"] + (r * s) @ p["Uh"] + p["bh"])
        tape.append((s, z, r, hh))
        s = (1 - z) * s + z * hh
    loss = 0.5 * np.sum((s - y) ** 2)
    return loss, (s, tape)


def backward(params, x, y, cache):
    p = params
    last, tape = cache
    grads = {name: np.zeros_like(value) for name, value in p.items()}
    ds = last - y
    for t in reversed(range(len(x))):
        s, z, r, hh = tape[t]
        dhh = ds * z
        da_h = dhh * (1 - hh**2)
        drs = da_h @ p["Uh"].T
        dr = drs * s
        da_r = dr * r * (1 - r)
        dz = ds * (hh - s)
        da_z = dz * z * (1 - z)
        grads["Wh"] += x[t].T @ da_h
        grads["Uh"] += (r * s).T @ da_h
        grads["bh"] += da_h.sum(axis=0)
        grads["Wr"] += x[t].T @ da_r
        grads["Ur"] += s.T @ da_r
        grads["br"] += da_r.sum(axis=0)
        grads["Wz"] += x[t].T @ da_z
        grads["Uz"] += s.T @ da_z
        grads["bz"] += da_z.sum(axis=0)
        ds = ds * (1 - z) + drs * r + da_r @ p["Ur"].T + da_z @ p["Uz"].T
    return grads
