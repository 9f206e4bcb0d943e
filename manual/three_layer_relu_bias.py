r"""Three layers, ReLU, biases: the notebook's cells 21 to 25.

New against `three_layer_relu`: each product gets a bias, one number for each column, added to
every row.

Forward, for a batch of n rows. Written side by side, $x w_1$ is the matrix product, `x.dot(w1)`
in the code; $\hat y$ is the prediction `y_pred`, and $L$ is the loss:

    h1              $h_1 = x w_1 + b_1$                                      (n, h1)
    h1_relu         $h_1^\text{relu} = \max(h_1, 0)$                         (n, h1)
    h2              $h_2 = h_1^\text{relu} w_2 + b_2$                        (n, h2)
    h2_relu         $h_2^\text{relu} = \max(h_2, 0)$                         (n, h2)
    y_pred          $\hat y = h_2^\text{relu} w_3 + b_3$                     (n, d_out)
    loss            $L = \sum (\hat y - y)^2$                                a number

Backward, from the last line to the first. $\nabla q$ stands for $\partial L / \partial q$, so it
has the shape of $q$; $\odot$ multiplies entry by entry.

1. The derivative of $u^2$ is $2 u$, and each entry of $\hat y$ is in just one of the squares:
      grad_y_pred   $\nabla \hat y = 2 (\hat y - y)$
2. A product $q = a w$ gives $\nabla w = a^\top \nabla q$ and $\nabla a = \nabla q \, w^\top$. A
   bias is added to every row with slope 1, so it gets the sum over the rows, column by column:
      grad_w3       $\nabla w_3 = (h_2^\text{relu})^\top \nabla \hat y$
      grad_b3       $\nabla b_3 = \sum_\text{rows} \nabla \hat y$
      grad_h2_relu  $\nabla h_2^\text{relu} = \nabla \hat y \, w_3^\top$
3. ReLU has slope 1 where its input is positive, else 0 (at 0 as in PyTorch). $[h_2 > 0]$ is that
   slope:
      grad_h2       $\nabla h_2 = \nabla h_2^\text{relu} \odot [h_2 > 0]$
4. The second layer, like step 2, with $\nabla h_2$ for its gradient:
      grad_w2       $\nabla w_2 = (h_1^\text{relu})^\top \nabla h_2$
      grad_b2       $\nabla b_2 = \sum_\text{rows} \nabla h_2$
      grad_h1_relu  $\nabla h_1^\text{relu} = \nabla h_2 \, w_2^\top$
5. The ReLU of the first layer, like step 3, with its own input:
      grad_h1       $\nabla h_1 = \nabla h_1^\text{relu} \odot [h_1 > 0]$
6. The first layer, like step 2. Nobody needs the gradient of the data:
      grad_w1       $\nabla w_1 = x^\top \nabla h_1$
      grad_b1       $\nabla b_1 = \sum_\text{rows} \nabla h_1$

The notebook writes the bias gradients as `grad.T.dot(ones((n, 1)))`. That gives a column (h, 1)
where the bias is (h,). For $b_3$ it writes `ones((n, d_out))`, which gives (d_out, d_out) and is
right for d_out = 1 alone. The sum over the rows is the same without the detour.

The notebook gives ReLU slope 1 where its input is exactly 0, not 0 as here: both are right.

Every array may be float64 or float32; what goes in comes out. Nothing passed in is changed.
"""

import numpy as np

# The notebook's programme: one step (cell 24), then 500 (cell 25).
LEARNING_RATES = [1e-4] + 500 * [1e-4]


def init(rng, n=64, d_in=6, h1=8, h2=8, d_out=1):
    """Draw weights and data from the standard normal distribution (cells 21 and 22).

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
    """Compute every value up to the loss (cells 23 and 25): a dict in the order of computing."""
    w1, b1 = params["w1"], params["b1"]
    w2, b2 = params["w2"], params["b2"]
    w3, b3 = params["w3"], params["b3"]
    h1 = x.dot(w1) + b1  # (n, h1)
    h1_relu = np.maximum(h1, 0)  # (n, h1)
    h2 = h1_relu.dot(w2) + b2  # (n, h2)
    h2_relu = np.maximum(h2, 0)  # (n, h2)
    y_pred = h2_relu.dot(w3) + b3  # (n, d_out)
    loss = np.square(y_pred - y).sum()  # a number
    return {
        "h1": h1,
        "h1_relu": h1_relu,
        "h2": h2,
        "h2_relu": h2_relu,
        "y_pred": y_pred,
        "loss": loss,
    }


def backward(params, x, y, values):
    """Compute the gradient of the loss by every quantity (cell 24), last one first.

    `values` is what `forward` returned for the same `params`, `x` and `y`.
    """
    w2, w3 = params["w2"], params["w3"]
    h1, h1_relu = values["h1"], values["h1_relu"]
    h2, h2_relu = values["h2"], values["h2_relu"]
    y_pred = values["y_pred"]
    grad_y_pred = 2.0 * (y_pred - y)  # (n, d_out)
    grad_w3 = h2_relu.T.dot(grad_y_pred)  # (h2, d_out)
    grad_b3 = grad_y_pred.sum(axis=0)  # (d_out,)
    grad_h2_relu = grad_y_pred.dot(w3.T)  # (n, h2)
    grad_h2 = grad_h2_relu * (h2 > 0)  # (n, h2)
    grad_w2 = h1_relu.T.dot(grad_h2)  # (h1, h2)
    grad_b2 = grad_h2.sum(axis=0)  # (h2,)
    grad_h1_relu = grad_h2.dot(w2.T)  # (n, h1)
    grad_h1 = grad_h1_relu * (h1 > 0)  # (n, h1)
    grad_w1 = x.T.dot(grad_h1)  # (d_in, h1)
    grad_b1 = grad_h1.sum(axis=0)  # (h1,)
    return {
        "grad_y_pred": grad_y_pred,
        "grad_w3": grad_w3,
        "grad_b3": grad_b3,
        "grad_h2_relu": grad_h2_relu,
        "grad_h2": grad_h2,
        "grad_w2": grad_w2,
        "grad_b2": grad_b2,
        "grad_h1_relu": grad_h1_relu,
        "grad_h1": grad_h1,
        "grad_w1": grad_w1,
        "grad_b1": grad_b1,
    }
