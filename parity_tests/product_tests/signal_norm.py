"""A network as somebody might add one: two files; nothing in it is like those that are there."""

NAME = "signal_norm"

MANUAL = r'''r"""A signal's windows, normed over the batch, into classes.

Forward, for n signals; $*$ slides the kernel along:

    c       $c = x * k$                                  (n, 1, d_in - 2)
    c_norm  $u = (c - m) / r$                            (n, 1, d_in - 2)
    scores  $s = u w$                                    (n, classes)
    loss    $L = \sum (\log \sum e^{s} - s_y)$           a number

Here $m$ is the mean over the whole batch, and $r$ the square root of the mean square of $c - m$.

Backward, from the end:

1. Softmax less the labels, and a product:
      grad_scores  $\nabla s = \sigma(s) - [y]$
      grad_w       $\nabla w = u^\top \nabla s$
      grad_c_norm  $\nabla u = \nabla s \, w^\top$
2. The mean and the spread depend on all of $c$:
      grad_c       $\nabla c = (\nabla u - \bar{\nabla u} - u \, \bar{u \nabla u}) / r$
3. Each weight of the kernel has met the whole signal:
      grad_k       $\nabla k = x * \nabla c$
"""

import numpy as np

EPS = 1e-5
LEARNING_RATES = 20 * [1e-3]


def init(rng, n=12, d_in=7, classes=3):
    params = {"k": rng.standard_normal((1, 1, 3)), "w": rng.standard_normal((d_in - 2, classes))}
    return params, rng.standard_normal((n, 1, d_in)), rng.integers(0, classes, n)


def windows(x):
    return np.lib.stride_tricks.sliding_window_view(x[:, 0], 3, axis=1)  # (n, d_in - 2, 3)


def spread(c):
    return np.sqrt(np.square(c - c.mean()).mean() + c.dtype.type(EPS))


def forward(params, x, y):
    k, w = params["k"], params["w"]
    c = (windows(x) @ k[0, 0])[:, None]  # (n, 1, d_in - 2)
    c_norm = (c - c.mean()) / spread(c)  # (n, 1, d_in - 2)
    scores = c_norm[:, 0] @ w  # (n, classes)
    top = scores.max(axis=1, keepdims=True)
    total = np.log(np.exp(scores - top).sum(axis=1)) + top[:, 0]
    loss = (total - scores[np.arange(len(y)), y]).sum()  # a number
    return {"c": c, "c_norm": c_norm, "scores": scores, "loss": loss}


def backward(params, x, y, values):
    w, c, c_norm, scores = params["w"], values["c"], values["c_norm"], values["scores"]
    exp = np.exp(scores - scores.max(axis=1, keepdims=True))
    picked = np.zeros_like(scores)
    picked[np.arange(len(y)), y] = 1
    grad_scores = exp / exp.sum(axis=1, keepdims=True) - picked  # (n, classes)
    grad_w = c_norm[:, 0].T @ grad_scores  # (d_in - 2, classes)
    grad_c_norm = (grad_scores @ w.T)[:, None]  # (n, 1, d_in - 2)
    mean, along = grad_c_norm.mean(), (grad_c_norm * c_norm).mean()
    grad_c = (grad_c_norm - mean - c_norm * along) / spread(c)  # (n, 1, d_in - 2)
    grad_k = np.einsum("nit,ni->t", windows(x), grad_c[:, 0])[None, None]  # (1, 1, 3)
    return {
        "grad_scores": grad_scores,
        "grad_w": grad_w,
        "grad_c_norm": grad_c_norm,
        "grad_c": grad_c,
        "grad_k": grad_k,
    }
'''

TORCH = '''"""The same in PyTorch: running averages besides, which no gradient knows of."""

from torch import nn

PARAMETERS = {"k": "c.weight", "w": "scores.weight.T"}

loss_fn = nn.CrossEntropyLoss(reduction="sum")


class Net(nn.Module):
    def __init__(self, d_in=7, classes=3):
        super().__init__()
        self.c = nn.Conv1d(1, 1, 3, bias=False)
        self.c_norm = nn.BatchNorm1d(1, affine=False)
        self.scores = nn.Linear(d_in - 2, classes, bias=False)

    def forward(self, x):
        return self.scores(self.c_norm(self.c(x))[:, 0])
'''
