"""A softmax and a cross entropy as two steps: dprobs first, then through the softmax."""

import numpy as np


def init(rng, n=18, d=5, h=6, classes=4):
    params = {
        "w1": rng.standard_normal((d, h)),
        "b1": rng.standard_normal(h),
        "w2": rng.standard_normal((h, classes)),
        "b2": rng.standard_normal(classes),
    }
    return params, rng.standard_normal((n, d)), rng.integers(0, classes, n)


def forward(params, x, y):
    onehot = np.eye(params["w2"].shape[1])[y]
    hidden = np.tanh(x @ params["w1"] + params["b1"])
    logits = hidden @ params["w2"] + params["b2"]
    e = np.exp(logits)
    probs = e / e.sum(axis=1, keepdims=True)
    loss = -np.sum(onehot * np.log(probs)) / len(x)
    return {"onehot": onehot, "hidden": hidden, "e": e, "probs": probs, "loss": loss}


def backward(params, x, y, values):
    hidden, probs = values["hidden"], values["probs"]
    grad_probs = -values["onehot"] / probs / len(x)
    grad_logits = probs * (grad_probs - np.sum(grad_probs * probs, axis=1, keepdims=True))
    grad_w2 = hidden.T @ grad_logits
    grad_b2 = grad_logits.sum(axis=0)
    grad_hidden = grad_logits @ params["w2"].T
    grad_z = grad_hidden * (1 - hidden**2)
    return {
        "grad_probs": grad_probs,
        "grad_logits": grad_logits,
        "w1": x.T @ grad_z,
        "b1": grad_z.sum(axis=0),
        "w2": grad_w2,
        "b2": grad_b2,
    }
