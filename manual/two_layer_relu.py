r"""Two layers, ReLU, no biases: the notebook's cells 1 to 12.

Forward, for a batch of n rows and h hidden units, the notebook's H. Written side by side,
$x w_1$ is the matrix product, `x.dot(w1)` in the code; $\hat y$ is the prediction `y_pred`, and
$L$ is the loss:

    h              $h = x w_1$                                     (n, h)
    h_relu         $h^\text{relu} = \max(h, 0)$                    (n, h)
    y_pred         $\hat y = h^\text{relu} w_2$                    (n, d_out)
    loss           $L = \sum (\hat y - y)^2$                       a number

Backward: the chain rule starts at the loss and walks the four lines above from the last to the
first. $\nabla q$ stands for $\partial L / \partial q$, how fast the loss grows with each entry
of $q$, so it has the shape of $q$; $\odot$ multiplies entry by entry.

1. The loss adds up squares, and the derivative of $u^2$ is $2 u$. Each entry of $\hat y$ is in
   just one of the squares:
      grad_y_pred  $\nabla \hat y = 2 (\hat y - y)$
2. Entry by entry, $\hat y_{ik} = \sum_j h^\text{relu}_{ij} (w_2)_{jk}$. Each $(w_2)_{jk}$ acts
   on every row $i$, each $h^\text{relu}_{ij}$ on every output $k$, and the chain rule adds up
   just those: $(\nabla w_2)_{jk} = \sum_i h^\text{relu}_{ij} (\nabla \hat y)_{ik}$ and
   $(\nabla h^\text{relu})_{ij} = \sum_k (\nabla \hat y)_{ik} (w_2)_{jk}$. As matrix products:
      grad_w2      $\nabla w_2 = (h^\text{relu})^\top \nabla \hat y$
      grad_h_relu  $\nabla h^\text{relu} = \nabla \hat y \, w_2^\top$
3. ReLU has slope 1 where $h > 0$ and slope 0 where $h < 0$. At $h = 0$ every slope from 0 to 1
   is a subgradient; here it is 0, as in PyTorch. $[h > 0]$ is 1 where that holds, else 0:
      grad_h       $\nabla h = \nabla h^\text{relu} \odot [h > 0]$
4. $h = x w_1$ is a product as in step 2. Nobody needs the gradient of the data:
      grad_w1      $\nabla w_1 = x^\top \nabla h$

The notebook writes `grad_h[h < 0] = 0`, which is slope 1 where $h$ is exactly 0: the other end
of the subgradients.

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
