r"""A specimen, not a variant: the sigmoid network as the notebook prints it (cell 28).

New against `three_layer_sigmoid_bias`: the notebook's best mistake, one character long. The
second activation is computed from the first layer, where $\sigma(h_2)$ was meant.

Forward, for a batch of n rows. Written side by side, $x w_1$ is the matrix product, `x.dot(w1)`
in the code; $\hat y$ is the prediction `y_pred`, and $L$ is the loss:

    h1              $h_1 = x w_1 + b_1$                                          (n, h1)
    h1_sigm         $h_1^\text{sigm} = \sigma(h_1)$                              (n, h1)
    h2              $h_2 = h_1^\text{sigm} w_2 + b_2$                            (n, h2)
    h2_sigm         $h_2^\text{sigm} = \sigma(h_1)$                              (n, h1)
    y_pred          $\hat y = h_2^\text{sigm} w_3 + b_3$                         (n, d_out)
    loss            $L = \sum (\hat y - y)^2$                                    a number

Backward, as printed: the chain rule of the network that was meant. $\nabla q$ should be
$\partial L / \partial q$; $\odot$ multiplies entry by entry.

1. The derivative of $u^2$ is $2 u$, and each entry of $\hat y$ is in just one of the squares:
      grad_y_pred   $\nabla \hat y = 2 (\hat y - y)$
2. A product $q = a w$ gives $\nabla w = a^\top \nabla q$ and $\nabla a = \nabla q \, w^\top$. A
   bias gets the sum over the rows, here as a product with a column of n ones:
      grad_w3       $\nabla w_3 = (h_2^\text{sigm})^\top \nabla \hat y$
      grad_b3       $\nabla b_3 = (\nabla \hat y)^\top \text{ones}$
      grad_h2_sigm  $\nabla h_2^\text{sigm} = \nabla \hat y \, w_3^\top$
3. The slope of $s = \sigma(h)$ is $s (1 - s)$. This is where the two passes part: what is computed
   here is the gradient that comes to $h_1$, since $h_2^\text{sigm}$ is $\sigma(h_1)$:
      grad_h2  $\nabla h_2 = \nabla h_2^\text{sigm} \odot h_2^\text{sigm} \odot (1-h_2^\text{sigm})$
4. The second layer, like step 2. None of its values reaches the loss, so the right gradients
   are 0:
      grad_w2       $\nabla w_2 = (h_1^\text{sigm})^\top \nabla h_2$
      grad_b2       $\nabla b_2 = (\nabla h_2)^\top \text{ones}$
      grad_h1_sigm  $\nabla h_1^\text{sigm} = \nabla h_2 \, w_2^\top$
5. The sigmoid of the first layer, like step 3, with its own output:
      grad_h1  $\nabla h_1 = \nabla h_1^\text{sigm} \odot h_1^\text{sigm} \odot (1-h_1^\text{sigm})$
6. The first layer, like step 2:
      grad_w1       $\nabla w_1 = x^\top \nabla h_1$
      grad_b1       $\nabla b_1 = (\nabla h_1)^\top \text{ones}$

The notebook's $h_2$, and with it $w_2$ and $b_2$, thus does not reach the loss, and still $w_2$ and
$b_2$ get gradients. It trains, the loss falls, and nothing warns: `handgrad` must reject it.

The notebook's lines are kept here but for three: its sigmoid overflows for large negative $h$;
its ones for $b_3$ are (n, d_out), right for d_out = 1 alone; and it reshapes the bias gradients
in its update.

Every array may be float64 or float32; what goes in comes out. Nothing passed in is changed.
"""

import numpy as np

from .three_layer_sigmoid_bias import LEARNING_RATES, init, sigmoid

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
