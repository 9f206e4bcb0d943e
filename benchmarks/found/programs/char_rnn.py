"""A recurrent network over characters, states in dicts, gradients added up backwards in time."""

import numpy as np


def init(rng, steps=8, vocab_size=5, hidden_size=6):
    params = {
        "Wxh": rng.standard_normal((hidden_size, vocab_size)) / 2,
        "Whh": rng.standard_normal((hidden_size, hidden_size)) / 3,
        "Why": rng.standard_normal((vocab_size, hidden_size)) / 2,
        "bh": rng.standard_normal((hidden_size, 1)),
        "by": rng.standard_normal((vocab_size, 1)),
    }
    return params, rng.integers(0, vocab_size, steps), rng.integers(0, vocab_size, steps)


def forward(params, x, y):
    xs, hs, ps = {}, {}, {}
    hs[-1] = np.zeros_like(params["bh"])
    loss = 0.0
    for t in range(len(x)):
        xs[t] = np.zeros((params["Wxh"].shape[1], 1))
        xs[t][x[t]] = 1
        hs[t] = np.tanh(params["Wxh"] @ xs[t] + params["Whh"] @ hs[t - 1] + params["bh"])
        ys = params["Why"] @ hs[t] + params["by"]
        ps[t] = np.exp(ys) / np.sum(np.exp(ys))
        loss = loss - np.log(ps[t][y[t], 0])
    return loss, (xs, hs, ps)


def backward(params, x, y, cache):
    xs, hs, ps = cache
    dWxh, dWhh = np.zeros_like(params["Wxh"]), np.zeros_like(params["Whh"])
    dWhy = np.zeros_like(params["Why"])
    dbh, dby = np.zeros_like(params["bh"]), np.zeros_like(params["by"])
    dhnext = np.zeros_like(hs[0])
    for t in reversed(range(len(x))):
        dy = np.copy(ps[t])
        dy[y[t]] -= 1
        dWhy += dy @ hs[t].T
        dby += dy
        dh = params["Why"].T @ dy + dhnext
        dhraw = (1 - hs[t] * hs[t]) * dh
        dbh += dhraw
        dWxh += dhraw @ xs[t].T
        dWhh += dhraw @ hs[t - 1].T
        dhnext = params["Whh"].T @ dhraw
    return {"Wxh": dWxh, "Whh": dWhh, "Why": dWhy, "bh": dbh, "by": dby}
