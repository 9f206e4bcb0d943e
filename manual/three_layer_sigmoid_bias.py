r"""Three layers, sigmoid, biases: the notebook's cells 26 to 28.

New against `three_layer_relu_bias`: the activation is the sigmoid
$\sigma(h) = 1 / (1 + e^{-h})$.

Forward, for a batch of n rows. Written side by side, $x w_1$ is the matrix product, `x.dot(w1)`
in the code; $\hat y$ is the prediction `y_pred`, and $L$ is the loss:

    h1              $h_1 = x w_1 + b_1$                                          (n, h1)
    h1_sigm         $h_1^\text{sigm} = \sigma(h_1)$                              (n, h1)
    h2              $h_2 = h_1^\text{sigm} w_2 + b_2$                            (n, h2)
    h2_sigm         $h_2^\text{sigm} = \sigma(h_2)$                              (n, h2)
    y_pred          $\hat y = h_2^\text{sigm} w_3 + b_3$                         (n, d_out)
    loss            $L = \sum (\hat y - y)^2$                                    a number

Backward, from the last line to the first. $\nabla q$ stands for $\partial L / \partial q$, so it
has the shape of $q$; $\odot$ multiplies entry by entry.

1. The derivative of $u^2$ is $2 u$, and each entry of $\hat y$ is in just one of the squares:
      grad_y_pred   $\nabla \hat y = 2 (\hat y - y)$
2. A product $q = a w$ gives $\nabla w = a^\top \nabla q$ and $\nabla a = \nabla q \, w^\top$. A
   bias is added to every row with slope 1, so it gets the sum over the rows:
      grad_w3       $\nabla w_3 = (h_2^\text{sigm})^\top \nabla \hat y$
      grad_b3       $\nabla b_3 = \sum_\text{rows} \nabla \hat y$
      grad_h2_sigm  $\nabla h_2^\text{sigm} = \nabla \hat y \, w_3^\top$
3. With $s = \sigma(h)$, the slope is $ds/dh = e^{-h} / (1 + e^{-h})^2 = s (1 - s)$. Written in
   terms of the output like this, it does not need the input again:
      grad_h2  $\nabla h_2 = \nabla h_2^\text{sigm} \odot h_2^\text{sigm} \odot (1-h_2^\text{sigm})$
4. The second layer, like step 2, with $\nabla h_2$ for its gradient:
      grad_w2       $\nabla w_2 = (h_1^\text{sigm})^\top \nabla h_2$
      grad_b2       $\nabla b_2 = \sum_\text{rows} \nabla h_2$
      grad_h1_sigm  $\nabla h_1^\text{sigm} = \nabla h_2 \, w_2^\top$
5. The sigmoid of the first layer, like step 3, with its own output:
      grad_h1  $\nabla h_1 = \nabla h_1^\text{sigm} \odot h_1^\text{sigm} \odot (1-h_1^\text{sigm})$
6. The first layer, like step 2. Nobody needs the gradient of the data:
      grad_w1       $\nabla w_1 = x^\top \nabla h_1$
      grad_b1       $\nabla b_1 = \sum_\text{rows} \nabla h_1$

The notebook computes `h2_sigm` from `h1`, not from `h2`. This is the network that it means; the
one that it prints is in `three_layer_sigmoid_bias_printed`.

The notebook's `1 / (1 + np.exp(-1 * h1))` overflows for large negative $h_1$: the value is right,
but NumPy warns. `sigmoid` here does not overflow.

The notebook gets a bias gradient from a product with ones, and for $b_3$ the shape of these ones
is right for d_out = 1 alone.

Every array may be float64 or float32; what goes in comes out. Nothing passed in is changed.
"""

import numpy as np

# The notebook's programme: 500 steps (cell 28), with none before them.
LEARNING_RATES = 500 * [1e-4]


def sigmoid(h):
    """Compute 1 / (1 + exp(-h)) entry by entry, for h of any size.

    As it stands the formula overflows for large negative h (the notebook's does, with a
    warning). Multiplied by exp(h) above and below it is exp(h) / (1 + exp(h)), so only the
    exponential of a number that is not positive is ever taken.
    """
    e = np.exp(-np.abs(h))
    return np.where(h < 0, e, 1) / (1 + e)


def init(rng, n=64, d_in=6, h1=8, h2=8, d_out=1):
    """Draw weights and data from the standard normal distribution (cells 26 and 27).

    Returns `params, x, y` in float64: a dict of w1 (d_in, h1), b1 (h1,), w2 (h1, h2),
    b2 (h2,), w3 (h2, d_out) and b3 (d_out,), then x (n, d_in) and y (n, d_out). `rng` is a
    `numpy.random.Generator`.
    """
    x = rng.standard_normal((n, d_in))
    y = rng.standard_normal((n, d_out))
    params = {
        "w1": rng.standard_normal((d_in, h1)),
        "b1": rng.standard_normal(h1),
        "w2": rng.standard_normal((h1, h2)),
        "b2": rng.standard_normal(h2),
        "w3": rng.standard_normal((h2, d_out)),
        "b3": rng.standard_normal(d_out),
    }
    return params, x, y


def forward(params, x, y):
    """Compute every value up to the loss (cell 28): a dict in the order of computing."""
    w1, b1 = params["w1"], params["b1"]
    w2, b2 = params["w2"], params["b2"]
    w3, b3 = params["w3"], params["b3"]
    h1 = x.dot(w1) + b1  # (n, h1)
    h1_sigm = sigmoid(h1)  # (n, h1)
    h2 = h1_sigm.dot(w2) + b2  # (n, h2)
    h2_sigm = sigmoid(h2)  # (n, h2)
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
    """Compute the gradient of the loss by every quantity (cell 28), last one first.

    `values` is what `forward` returned for the same `params`, `x` and `y`.
    """
    w2, w3 = params["w2"], params["w3"]
    h1_sigm, h2_sigm, y_pred = values["h1_sigm"], values["h2_sigm"], values["y_pred"]
    grad_y_pred = 2.0 * (y_pred - y)  # (n, d_out)
    grad_w3 = h2_sigm.T.dot(grad_y_pred)  # (h2, d_out)
    grad_b3 = grad_y_pred.sum(axis=0)  # (d_out,)
    grad_h2_sigm = grad_y_pred.dot(w3.T)  # (n, h2)
    grad_h2 = grad_h2_sigm * h2_sigm * (1 - h2_sigm)  # (n, h2)
    grad_w2 = h1_sigm.T.dot(grad_h2)  # (h1, h2)
    grad_b2 = grad_h2.sum(axis=0)  # (h2,)
    grad_h1_sigm = grad_h2.dot(w2.T)  # (n, h1)
    grad_h1 = grad_h1_sigm * h1_sigm * (1 - h1_sigm)  # (n, h1)
    grad_w1 = x.T.dot(grad_h1)  # (d_in, h1)
    grad_b1 = grad_h1.sum(axis=0)  # (h1,)
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
