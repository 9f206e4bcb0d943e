"""Cosine similarity of two images of the data under two weights.

Not by `nn.CosineSimilarity`: for rows shorter than its 1e-8, what autograd gives of it is not the
slope of what it computes.
"""

import numpy as np
from torch import nn
from torch.nn.functional import normalize

PARAMETERS = {"w": "a.weight.T", "v": "b.weight.T"}
loss_fn = nn.MSELoss(reduction="sum")


def init(rng, n=6, d=4, h=3):
    params = {"w": rng.standard_normal((d, h)), "v": rng.standard_normal((d, h))}
    x = (rng.standard_normal((n, d)), rng.standard_normal((n, d)))
    return params, x, rng.standard_normal(n)


def norm(a):
    """Compute the length of each row, but no less than 1e-8."""
    return np.maximum(np.sqrt(np.square(a).sum(axis=1, keepdims=True)), 1e-8)


def forward(params, x, y):
    a = x[0] @ params["w"]
    b = x[1] @ params["v"]
    y_pred = (a / norm(a) * (b / norm(b))).sum(axis=1)
    return {"a": a, "b": b, "y_pred": y_pred, "loss": np.square(y_pred - y).sum()}


def through_norm(a, grad):
    """Return the gradient of a row, given that of the row over its length."""
    unit = a / norm(a)
    along = (grad * unit).sum(axis=1, keepdims=True)
    return (grad - np.where(norm(a) > 1e-8, unit * along, 0)) / norm(a)


def backward(params, x, y, values):
    a, b = values["a"], values["b"]
    grad_y_pred = 2 * (values["y_pred"] - y)
    grad_a = through_norm(a, grad_y_pred[:, None] * b / norm(b))
    grad_b = through_norm(b, grad_y_pred[:, None] * a / norm(a))
    grad_w = x[0].T @ grad_a
    grad_v = x[1].T @ grad_b
    return {
        **{"grad_y_pred": grad_y_pred, "grad_a": grad_a, "grad_b": grad_b},
        **{"grad_w": grad_w, "grad_v": grad_v},
    }


class Net(nn.Module):
    def __init__(self, d=4, h=3):
        super().__init__()
        self.a = nn.Linear(d, h, bias=False)
        self.b = nn.Linear(d, h, bias=False)
        self.y_pred = nn.Identity()

    def forward(self, x1, x2):
        a, b = normalize(self.a(x1), eps=1e-8), normalize(self.b(x2), eps=1e-8)
        return self.y_pred((a * b).sum(dim=1))
