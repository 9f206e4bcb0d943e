"""Group norm over signals (n, channels, length), SiLU, the mean over time, a linear layer."""

import numpy as np
from torch import nn

PARAMETERS = {"gamma": "norm.weight", "beta": "norm.bias", "w": "y_pred.weight.T"}
AT_LEAST = {"length": 2}
loss_fn = nn.MSELoss(reduction="sum")


def init(rng, n=3, groups=2, each=3, length=5, d_out=2):
    channels = groups * each
    params = {
        "gamma": rng.standard_normal(channels),
        "beta": rng.standard_normal(channels),
        "w": rng.standard_normal((channels, d_out)),
    }
    x = rng.standard_normal((n, groups, each, length))
    return params, x, rng.standard_normal((n, d_out))


def sigmoid(a):
    small = np.exp(-np.abs(a))
    return np.where(a > 0, 1, small) / (1 + small)


def standardize(x):
    """Standardize each group of each row; return it as (n, channels, length)."""
    spread = np.sqrt(x.var(axis=(2, 3), keepdims=True) + 1e-5)
    standard = (x - x.mean(axis=(2, 3), keepdims=True)) / spread
    return standard.reshape(len(x), -1, x.shape[3])


def forward(params, x, y):
    norm = params["gamma"][:, None] * standardize(x) + params["beta"][:, None]
    silu = norm * sigmoid(norm)
    pooled = silu.mean(axis=2)
    y_pred = pooled @ params["w"]
    loss = np.square(y_pred - y).sum()
    return {"norm": norm, "silu": silu, "pooled": pooled, "y_pred": y_pred, "loss": loss}


def backward(params, x, y, values):
    norm, silu = values["norm"], values["silu"]
    grad_y_pred = 2 * (values["y_pred"] - y)
    grad_w = values["pooled"].T @ grad_y_pred
    grad_pooled = grad_y_pred @ params["w"].T
    grad_silu = np.repeat(grad_pooled[:, :, None] / x.shape[3], x.shape[3], axis=2)
    grad_norm = grad_silu * (sigmoid(norm) + silu * sigmoid(-norm))
    grad_gamma = (grad_norm * standardize(x)).sum(axis=(0, 2))
    grad_beta = grad_norm.sum(axis=(0, 2))
    return {
        **{"grad_y_pred": grad_y_pred, "grad_w": grad_w, "grad_pooled": grad_pooled},
        **{"grad_silu": grad_silu, "grad_norm": grad_norm},
        **{"grad_gamma": grad_gamma, "grad_beta": grad_beta},
    }


class Net(nn.Module):
    def __init__(self, groups=2, each=3, d_out=2):
        super().__init__()
        self.norm = nn.GroupNorm(groups, groups * each)
        self.silu = nn.SiLU()
        self.pooled = nn.Identity()
        self.y_pred = nn.Linear(groups * each, d_out, bias=False)

    def forward(self, x):
        silu = self.silu(self.norm(x.flatten(1, 2)))
        return self.y_pred(self.pooled(silu.mean(dim=2)))
