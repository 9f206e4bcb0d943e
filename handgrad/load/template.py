"""A derivation of your own, checked by `handgrad check` on this file.

One hidden layer with tanh, and the sum of squared errors. Put your own network in its place:
`forward` is the reference, and each line of `backward` is held against what autograd makes of it.
A gradient is called after its array, `grad_h1`, `dh1` or `h1_grad`; what is neither a parameter's
nor named so is not judged.

    h1      = x @ w1 + b1                (n, h1)
    h1_tanh = tanh(h1)                   (n, h1)
    y_pred  = h1_tanh @ w2 + b2          (n, d_out)
    loss    = sum (y_pred - y)**2        a number
"""

import numpy as np


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
    """Compute the loss; return it, and what the backward pass needs."""
    h1 = x @ params["w1"] + params["b1"]  # (n, h1)
    h1_tanh = np.tanh(h1)  # (n, h1)
    y_pred = h1_tanh @ params["w2"] + params["b2"]  # (n, d_out)
    loss = np.square(y_pred - y).sum()  # a number
    return loss, (h1_tanh, y_pred)


def backward(params, x, y, cache):
    """Compute the gradient of the loss by every parameter."""
    h1_tanh, y_pred = cache
    grad_y_pred = 2.0 * (y_pred - y)  # (n, d_out)
    grad_w2 = h1_tanh.T @ grad_y_pred  # (h1, d_out)
    grad_b2 = grad_y_pred.sum(axis=0)  # (d_out,)
    grad_h1_tanh = grad_y_pred @ params["w2"].T  # (n, h1)
    grad_h1 = grad_h1_tanh * (1 - h1_tanh**2)  # (n, h1)
    grad_w1 = x.T @ grad_h1  # (d_in, h1)
    grad_b1 = grad_h1.sum(axis=0)  # (h1,)
    return {"w1": grad_w1, "b1": grad_b1, "w2": grad_w2, "b2": grad_b2}
