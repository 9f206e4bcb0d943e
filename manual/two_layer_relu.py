"""Two layers, ReLU, no biases: the notebook's cells 1 to 12.

In a shape, h is the number of hidden units, the notebook's H.

Forward, for a batch of n rows (`@` is the matrix product, the notebook's `.dot`):

    h      = x @ w1                      (n, h)
    h_relu = max(h, 0)                   (n, h)
    y_pred = h_relu @ w2                 (n, d_out)
    loss   = sum (y_pred - y)**2         a number

Backward. Write grad_q for d loss / d q: it has the shape of q. The chain rule starts at
the loss and walks the four lines above from the last to the first.

1. loss = sum (y_pred - y)**2, and the derivative of u**2 is 2 u:
       grad_y_pred = 2 (y_pred - y)
2. y_pred[i, k] = sum_j h_relu[i, j] w2[j, k]. Each w2[j, k] acts on every row i, each
   h_relu[i, j] on every output k, so the sums run over just those:
       grad_w2     = h_relu.T @ grad_y_pred        sum over the rows
       grad_h_relu = grad_y_pred @ w2.T            sum over the outputs
3. h_relu = max(h, 0) has slope 1 where h > 0 and slope 0 where h < 0. At h = 0 every slope
   from 0 to 1 is a subgradient; this file takes 0 as PyTorch does, the notebook takes 1:
       grad_h      = grad_h_relu * (h > 0)
4. h = x @ w1 is a product like step 2:
       grad_w1     = x.T @ grad_h

Every array may be float64 or float32; what goes in comes out. Nothing passed in is changed.
"""

import numpy as np

# The notebook's programme: one step (cells 3 to 11), then 500 (cell 12).
LEARNING_RATES = [1e-6] + 500 * [1e-4]


def init(rng, n=64, d_in=20, h=32, d_out=1):
    """Draw weights and data from the standard normal distribution (cells 2 and 3).

    Returns `params, x, y` in float64: a dict of w1 (d_in, h) and w2 (h, d_out), then
    x (n, d_in) and y (n, d_out). `rng` is a `numpy.random.Generator`.
    """
    x = rng.standard_normal((n, d_in))
    y = rng.standard_normal((n, d_out))
    params = {
        "w1": rng.standard_normal((d_in, h)),
        "w2": rng.standard_normal((h, d_out)),
    }
    return params, x, y


def forward(params, x, y):
    """Compute every value up to the loss (cells 4 to 7): a dict in the order of computing."""
    w1, w2 = params["w1"], params["w2"]
    h = x.dot(w1)  # (n, h)
    h_relu = np.maximum(h, 0)  # (n, h)
    y_pred = h_relu.dot(w2)  # (n, d_out)
    loss = np.square(y_pred - y).sum()  # a number
    return {"h": h, "h_relu": h_relu, "y_pred": y_pred, "loss": loss}


def backward(params, x, y, values):
    """Compute the gradient of the loss by every quantity (cells 8 to 10), last one first.

    `values` is what `forward` returned for the same `params`, `x` and `y`.
    """
    w2 = params["w2"]
    h, h_relu, y_pred = values["h"], values["h_relu"], values["y_pred"]
    grad_y_pred = 2.0 * (y_pred - y)  # (n, d_out)
    grad_w2 = h_relu.T.dot(grad_y_pred)  # (h, d_out)
    grad_h_relu = grad_y_pred.dot(w2.T)  # (n, h)
    grad_h = grad_h_relu * (h > 0)  # (n, h)
    grad_w1 = x.T.dot(grad_h)  # (d_in, h)
    return {
        "grad_y_pred": grad_y_pred,
        "grad_w2": grad_w2,
        "grad_h_relu": grad_h_relu,
        "grad_h": grad_h,
        "grad_w1": grad_w1,
    }
