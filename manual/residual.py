r"""Three layers, ReLU, biases, a residual connection: He et al. 2015, arXiv 1512.03385.

New against `three_layer_relu_bias`: what goes into the second layer also goes past it, and is
added to what comes out. So the layer has only the difference to learn, the residual.

Forward, for a batch of n rows. Written side by side, $x w_1$ is the matrix product, `x.dot(w1)`
in the code; $t$ is the sum `total`, $\hat y$ is the prediction `y_pred`, and $L$ is the loss.
For the sum the second layer is as wide as the first:

    h1              $h_1 = x w_1 + b_1$                                      (n, h1)
    h1_relu         $h_1^\text{relu} = \max(h_1, 0)$                         (n, h1)
    h2              $h_2 = h_1^\text{relu} w_2 + b_2$                        (n, h1)
    total           $t = h_1^\text{relu} + h_2$                              (n, h1)
    y_pred          $\hat y = t w_3 + b_3$                                   (n, d_out)
    loss            $L = \sum (\hat y - y)^2$                                a number

Backward, from the last line to the first. $\nabla q$ stands for $\partial L / \partial q$, so it
has the shape of $q$; $\odot$ multiplies entry by entry.

1. The derivative of $u^2$ is $2 u$, and each entry of $\hat y$ is in just one of the squares:
      grad_y_pred   $\nabla \hat y = 2 (\hat y - y)$
2. A product $q = a w$ gives $\nabla w = a^\top \nabla q$ and $\nabla a = \nabla q \, w^\top$. A
   bias is added to every row with slope 1, so it gets the sum over the rows:
      grad_w3       $\nabla w_3 = t^\top \nabla \hat y$
      grad_b3       $\nabla b_3 = \sum_\text{rows} \nabla \hat y$
      grad_total    $\nabla t = \nabla \hat y \, w_3^\top$
3. A sum has slope 1 by each of its two terms, so each gets the gradient of the sum as it is. For
   $h_2$ that is all, since $h_2$ is used nowhere else:
      grad_h2       $\nabla h_2 = \nabla t$
4. The second layer, like step 2, with $\nabla h_2$ for its gradient:
      grad_w2       $\nabla w_2 = (h_1^\text{relu})^\top \nabla h_2$
      grad_b2       $\nabla b_2 = \sum_\text{rows} \nabla h_2$
5. $h_1^\text{relu}$ is used twice: as a term of the sum, and as a factor of the product that is
   the second layer. A change of it reaches the loss both ways, and the chain rule adds up what
   comes back on each: $\nabla t$ past the layer, as in step 3, and $\nabla h_2 \, w_2^\top$
   through it, as in step 2. However small $w_2$ is, the first of the two arrives whole:
      grad_h1_relu  $\nabla h_1^\text{relu} = \nabla t + \nabla h_2 \, w_2^\top$
6. ReLU has slope 1 where its input is positive, else 0 (at 0 as in PyTorch). $[h_1 > 0]$ is that
   slope:
      grad_h1       $\nabla h_1 = \nabla h_1^\text{relu} \odot [h_1 > 0]$
7. The first layer, like step 2. Nobody needs the gradient of the data:
      grad_w1       $\nabla w_1 = x^\top \nabla h_1$
      grad_b1       $\nabla b_1 = \sum_\text{rows} \nabla h_1$

Every array may be float64 or float32; what goes in comes out. Nothing passed in is changed.
"""

import numpy as np

# A short training: 200 steps, small enough that the loss falls at each of them.
LEARNING_RATES = 200 * [3e-5]


def init(rng, n=24, d_in=5, h1=6, d_out=2):
    """Draw weights and data from the standard normal distribution.

    Returns `params, x, y` in float64: a dict of w1 (d_in, h1), b1 (h1,), w2 (h1, h1),
    b2 (h1,), w3 (h1, d_out) and b3 (d_out,), then x (n, d_in) and y (n, d_out). `rng` is a
    `numpy.random.Generator`.
    """
    x = rng.standard_normal((n, d_in))
    y = rng.standard_normal((n, d_out))
    params = {
        "w1": rng.standard_normal((d_in, h1)),
        "b1": rng.standard_normal(h1),
        "w2": rng.standard_normal((h1, h1)),
        "b2": rng.standard_normal(h1),
        "w3": rng.standard_normal((h1, d_out)),
        "b3": rng.standard_normal(d_out),
    }
    return params, x, y


def forward(params, x, y):
    """Compute every value up to the loss: a dict in the order of computing."""
    w1, b1 = params["w1"], params["b1"]
    w2, b2 = params["w2"], params["b2"]
    w3, b3 = params["w3"], params["b3"]
    h1 = x.dot(w1) + b1  # (n, h1)
    h1_relu = np.maximum(h1, 0)  # (n, h1)
    h2 = h1_relu.dot(w2) + b2  # (n, h1)
    total = h1_relu + h2  # (n, h1)
    y_pred = total.dot(w3) + b3  # (n, d_out)
    loss = np.square(y_pred - y).sum()  # a number
    return {
        "h1": h1,
        "h1_relu": h1_relu,
        "h2": h2,
        "total": total,
        "y_pred": y_pred,
        "loss": loss,
    }


def backward(params, x, y, values):
    """Compute the gradient of the loss by every quantity, last one first.

    `values` is what `forward` returned for the same `params`, `x` and `y`.
    """
    w2, w3 = params["w2"], params["w3"]
    h1, h1_relu = values["h1"], values["h1_relu"]
    total, y_pred = values["total"], values["y_pred"]
    grad_y_pred = 2.0 * (y_pred - y)  # (n, d_out)
    grad_w3 = total.T.dot(grad_y_pred)  # (h1, d_out)
    grad_b3 = grad_y_pred.sum(axis=0)  # (d_out,)
    grad_total = grad_y_pred.dot(w3.T)  # (n, h1)
    grad_h2 = grad_total  # (n, h1)
    grad_w2 = h1_relu.T.dot(grad_h2)  # (h1, h1)
    grad_b2 = grad_h2.sum(axis=0)  # (h1,)
    grad_h1_relu = grad_total + grad_h2.dot(w2.T)  # (n, h1)
    grad_h1 = grad_h1_relu * (h1 > 0)  # (n, h1)
    grad_w1 = x.T.dot(grad_h1)  # (d_in, h1)
    grad_b1 = grad_h1.sum(axis=0)  # (h1,)
    return {
        "grad_y_pred": grad_y_pred,
        "grad_w3": grad_w3,
        "grad_b3": grad_b3,
        "grad_total": grad_total,
        "grad_h2": grad_h2,
        "grad_w2": grad_w2,
        "grad_b2": grad_b2,
        "grad_h1_relu": grad_h1_relu,
        "grad_h1": grad_h1,
        "grad_w1": grad_w1,
        "grad_b1": grad_b1,
    }
