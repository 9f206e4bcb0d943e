"""One head of attention in which no row sees a later one: -inf before the softmax."""

import math

import numpy as np
import torch
from torch import nn

PARAMETERS = {"wq": "q.weight.T", "wk": "k.weight.T", "wv": "v.weight.T"}
loss_fn = nn.MSELoss(reduction="sum")


def init(rng, n=3, t=5, d=4, h=4):
    params = {name: rng.standard_normal((d, h)) for name in ("wq", "wk", "wv")}
    return params, rng.standard_normal((n, t, d)), rng.standard_normal((n, t, h))


def forward(params, x, y):
    q = x @ params["wq"]  # (n, t, h)
    k = x @ params["wk"]
    v = x @ params["wv"]
    scores = q @ k.swapaxes(1, 2) / math.sqrt(q.shape[2])  # (n, t, t)
    later = np.triu(np.ones(scores.shape[1:], bool), 1)
    masked = np.where(later, -np.inf, scores)
    shifted = np.exp(masked - masked.max(axis=2, keepdims=True))
    weights = shifted / shifted.sum(axis=2, keepdims=True)
    y_pred = weights @ v  # (n, t, h)
    return {
        **{"q": q, "k": k, "v": v, "scores": scores, "masked": masked, "weights": weights},
        **{"y_pred": y_pred, "loss": np.square(y_pred - y).sum()},
    }


def backward(params, x, y, values):
    q, k, v, weights = values["q"], values["k"], values["v"], values["weights"]
    grad_y_pred = 2 * (values["y_pred"] - y)
    grad_v = weights.swapaxes(1, 2) @ grad_y_pred
    grad_weights = grad_y_pred @ v.swapaxes(1, 2)
    inner = (grad_weights * weights).sum(axis=2, keepdims=True)
    grad_masked = weights * (grad_weights - inner)
    grad_scores = np.tril(grad_masked)
    grad_q = grad_scores @ k / math.sqrt(q.shape[2])
    grad_k = grad_scores.swapaxes(1, 2) @ q / math.sqrt(q.shape[2])
    grad_wq = np.einsum("ntd,nth->dh", x, grad_q)
    grad_wk = np.einsum("ntd,nth->dh", x, grad_k)
    grad_wv = np.einsum("ntd,nth->dh", x, grad_v)
    return {
        **{"grad_y_pred": grad_y_pred, "grad_weights": grad_weights, "grad_v": grad_v},
        **{"grad_masked": grad_masked, "grad_scores": grad_scores},
        **{"grad_q": grad_q, "grad_k": grad_k},
        **{"grad_wq": grad_wq, "grad_wk": grad_wk, "grad_wv": grad_wv},
    }


class Net(nn.Module):
    def __init__(self, d=4, h=4):
        super().__init__()
        self.q = nn.Linear(d, h, bias=False)
        self.k = nn.Linear(d, h, bias=False)
        self.v = nn.Linear(d, h, bias=False)
        self.scores = nn.Identity()
        self.masked = nn.Identity()
        self.weights = nn.Softmax(dim=2)
        self.y_pred = nn.Identity()

    def forward(self, x):
        q, k, v = self.q(x), self.k(x), self.v(x)
        scores = self.scores(q @ k.transpose(1, 2) / math.sqrt(q.shape[2]))
        later = torch.ones(scores.shape[1:], dtype=torch.bool).triu(1)
        masked = self.masked(scores.masked_fill(later, -torch.inf))
        return self.y_pred(self.weights(masked) @ v)
