"""Linear, RMS norm, softplus, linear: softplus as log(1 + exp(a)), PyTorch's a line above 20."""

import numpy as np
from torch import nn

PARAMETERS = {
    **{"w1": "h.weight.T", "b1": "h.bias", "gamma": "norm.weight", "w2": "y_pred.weight.T"},
    "b2": "y_pred.bias",
}
loss_fn = nn.MSELoss(reduction="sum")


def init(rng, n=6, d_in=4, h=5, d_out=2):
    params = {
        **{"w1": rng.standard_normal((d_in, h)), "b1": rng.standard_normal(h)},
        **{"gamma": rng.standard_normal(h), "w2": rng.standard_normal((h, d_out))},
        "b2": rng.standard_normal(d_out),
    }
    return params, rng.standard_normal((n, d_in)), rng.standard_normal((n, d_out))


def root_mean_square(h):
    return np.sqrt(np.square(h).mean(axis=1, keepdims=True) + 1e-6)


def forward(params, x, y):
    h = x @ params["w1"] + params["b1"]
    norm = params["gamma"] * h / root_mean_square(h)
    soft = np.logaddexp(0, norm)
    y_pred = soft @ params["w2"] + params["b2"]
    loss = np.square(y_pred - y).sum()
    return {"h": h, "norm": norm, "soft": soft, "y_pred": y_pred, "loss": loss}


def backward(params, x, y, values):
    h, norm = values["h"], values["norm"]
    rms = root_mean_square(h)
    z = h / rms
    grad_y_pred = 2 * (values["y_pred"] - y)
    grad_w2 = values["soft"].T @ grad_y_pred
    grad_b2 = grad_y_pred.sum(axis=0)
    grad_soft = grad_y_pred @ params["w2"].T
    grad_norm = grad_soft / (1 + np.exp(-norm))
    grad_gamma = (grad_norm * z).sum(axis=0)
    grad_z = grad_norm * params["gamma"]
    grad_h = (grad_z - z * (grad_z * z).mean(axis=1, keepdims=True)) / rms
    grad_w1 = x.T @ grad_h
    grad_b1 = grad_h.sum(axis=0)
    return {
        **{"grad_y_pred": grad_y_pred, "grad_w2": grad_w2, "grad_b2": grad_b2},
        **{"grad_soft": grad_soft, "grad_norm": grad_norm, "grad_gamma": grad_gamma},
        **{"grad_h": grad_h, "grad_w1": grad_w1, "grad_b1": grad_b1},
    }


class Net(nn.Module):
    def __init__(self, d_in=4, h=5, d_out=2):
        super().__init__()
        self.h = nn.Linear(d_in, h)
        self.norm = nn.RMSNorm(h, eps=1e-6)
        self.soft = nn.Softplus()
        self.y_pred = nn.Linear(h, d_out)

    def forward(self, x):
        return self.y_pred(self.soft(self.norm(self.h(x))))
