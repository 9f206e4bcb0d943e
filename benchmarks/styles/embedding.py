"""An embedding of several tokens a row, its gradient by `np.add.at`."""

import numpy as np


def init(rng, n=6, context=3, vocabulary=7, d=4, classes=3):
    params = {
        **{"C": rng.standard_normal((vocabulary, d)), "b": rng.standard_normal(classes)},
        "W": rng.standard_normal((context * d, classes)),
    }
    x = rng.integers(0, vocabulary, (n, context))
    return params, x, rng.integers(0, classes, n)


def forward(params, x, y):
    emb = params["C"][x]
    embcat = emb.reshape(len(x), -1)
    logits = np.tanh(embcat) @ params["W"] + params["b"]
    norm_logits = logits - logits.max(1, keepdims=True)
    counts = np.exp(norm_logits)
    counts_sum = counts.sum(1, keepdims=True)
    counts_sum_inv = counts_sum**-1
    probs = counts * counts_sum_inv
    logprobs = np.log(probs)
    loss = -logprobs[range(len(x)), y].mean()
    return loss, (embcat, probs)


def backward(params, x, y, cache):
    embcat, probs = cache
    n = len(x)
    dlogits = probs.copy()
    dlogits[range(n), y] -= 1
    dlogits /= n
    hidden = np.tanh(embcat)
    dW = hidden.T @ dlogits
    db = dlogits.sum(0)
    dembcat = (dlogits @ params["W"].T) * (1 - hidden**2)
    demb = dembcat.reshape(*x.shape, -1)
    dC = np.zeros_like(params["C"])
    np.add.at(dC, x, demb)
    return {"dC": dC, "dW": dW, "db": db}
