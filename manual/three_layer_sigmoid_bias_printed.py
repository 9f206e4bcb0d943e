"""A specimen, not a variant: the sigmoid network as the notebook prints it (cell 28).

It holds the notebook's best mistake, one character long. The second activation is computed
from the first layer:

    h2_sigm = sigmoid(h1)                where h2 was meant

So h2, and with it w2 and b2, do not reach the loss at all: their true gradients are 0. The
backward pass is the right one for the network that was meant, and hands w2 and b2 gradients
all the same. It trains, the loss falls, and nothing warns: `handgrad` must reject it.

Everything below is as printed but for the stable sigmoid, b3's ones, (n, 1) where (n, d_out)
is printed, and the reshape of the bias gradients, which the notebook does in its update.
"""

import numpy as np

from manual.three_layer_sigmoid_bias import LEARNING_RATES, init, sigmoid

__all__ = ["LEARNING_RATES", "backward", "forward", "init"]


def forward(params, x, y):
    """Compute the forward pass as printed: `h2` is computed, and never used."""
    w1, b1 = params["w1"], params["b1"]
    w2, b2 = params["w2"], params["b2"]
    w3, b3 = params["w3"], params["b3"]
    h1 = x.dot(w1) + b1  # (n, h1)
    h1_sigm = sigmoid(h1)  # (n, h1)
    h2 = h1_sigm.dot(w2) + b2  # (n, h2)
    h2_sigm = sigmoid(h1)  # the mistake, in the notebook's own words: h1
    y_pred = h2_sigm.dot(w3) + b3  # (n, d_out)
    loss = np.square(y_pred - y).sum()  # a number
    return {
        "h1": h1,
        "h1_sigm": h1_sigm,
        "h2": h2,
        "h2_sigm": h2_sigm,
        "y_pred": y_pred,
        "loss": loss,
    }


def backward(params, x, y, values):
    """Compute the backward pass as printed: of the network that was meant."""
    w2, w3 = params["w2"], params["w3"]
    h1_sigm, h2_sigm, y_pred = values["h1_sigm"], values["h2_sigm"], values["y_pred"]
    ones = np.ones((y.shape[0], 1), y.dtype)
    grad_y_pred = 2.0 * (y_pred - y)  # (n, d_out)
    grad_w3 = h2_sigm.T.dot(grad_y_pred)  # (h2, d_out)
    grad_b3 = grad_y_pred.T.dot(ones).reshape(-1)  # (d_out,)
    grad_h2_sigm = grad_y_pred.dot(w3.T)  # (n, h2)
    grad_h2 = grad_h2_sigm * h2_sigm * (1 - h2_sigm)  # (n, h2)
    grad_w2 = h1_sigm.T.dot(grad_h2)  # (h1, h2)
    grad_b2 = grad_h2.T.dot(ones).reshape(-1)  # (h2,)
    grad_h1_sigm = grad_h2.dot(w2.T)  # (n, h1)
    grad_h1 = grad_h1_sigm * h1_sigm * (1 - h1_sigm)  # (n, h1)
    grad_w1 = x.T.dot(grad_h1)  # (d_in, h1)
    grad_b1 = grad_h1.T.dot(ones).reshape(-1)  # (h1,)
    return {
        "grad_y_pred": grad_y_pred,
        "grad_w3": grad_w3,
        "grad_b3": grad_b3,
        "grad_h2_sigm": grad_h2_sigm,
        "grad_h2": grad_h2,
        "grad_w2": grad_w2,
        "grad_b2": grad_b2,
        "grad_h1_sigm": grad_h1_sigm,
        "grad_h1": grad_h1,
        "grad_w1": grad_w1,
        "grad_b1": grad_b1,
    }
