"""A derivation of your own, checked by `handgrad check` on this file.

One hidden layer with tanh, and the sum of squared errors. Put your own network in its place:
`forward` and `backward` are yours, `reference` is the same network in PyTorch, its submodules
named after the quantities.

    h1      = x @ w1 + b1                (n, h1)
    h1_tanh = tanh(h1)                   (n, h1)
    y_pred  = h1_tanh @ w2 + b2          (n, d_out)
    loss    = sum (y_pred - y)**2        a number
"""

import numpy as np
from torch import nn


def init(rng):
    """Draw weights and data: params, x, y."""
    x = rng.standard_normal((16, 5))
    y = rng.standard_normal((16, 2))
    params = {
        "w1": rng.standard_normal((5, 4)),
        "b1": rng.standard_normal(4),
        "w2": rng.standard_normal((4, 2)),
        "b2": rng.standard_normal(2),
    }
    return params, x, y


def forward(params, x, y):
    """Compute every value up to the loss, each under its name."""
    h1 = x @ params["w1"] + params["b1"]  # (n, h1)
    h1_tanh = np.tanh(h1)  # (n, h1)
    y_pred = h1_tanh @ params["w2"] + params["b2"]  # (n, d_out)
    loss = np.square(y_pred - y).sum()  # a number
    return {"h1": h1, "h1_tanh": h1_tanh, "y_pred": y_pred, "loss": loss}


def backward(params, x, y, values):
    """Compute the gradient of the loss by every quantity, as grad_ and its name."""
    h1_tanh, y_pred = values["h1_tanh"], values["y_pred"]
    grad_y_pred = 2.0 * (y_pred - y)  # (n, d_out)
    grad_w2 = h1_tanh.T @ grad_y_pred  # (h1, d_out)
    grad_b2 = grad_y_pred.sum(axis=0)  # (d_out,)
    grad_h1_tanh = grad_y_pred @ params["w2"].T  # (n, h1)
    grad_h1 = grad_h1_tanh * (1 - h1_tanh**2)  # (n, h1)
    grad_w1 = x.T @ grad_h1  # (d_in, h1)
    grad_b1 = grad_h1.sum(axis=0)  # (h1,)
    return {
        "grad_y_pred": grad_y_pred,
        "grad_w2": grad_w2,
        "grad_b2": grad_b2,
        "grad_h1_tanh": grad_h1_tanh,
        "grad_h1": grad_h1,
        "grad_w1": grad_w1,
        "grad_b1": grad_b1,
    }


class Net(nn.Module):
    """The same network in PyTorch: autograd derives its backward pass."""

    def __init__(self):
        super().__init__()
        self.h1 = nn.Linear(5, 4)
        self.h1_tanh = nn.Tanh()
        self.y_pred = nn.Linear(4, 2)

    def forward(self, x):
        """Compute y_pred."""
        return self.y_pred(self.h1_tanh(self.h1(x)))


reference = Net()  # leave it out, and backward is held against forward alone
loss = nn.MSELoss(reduction="sum")
