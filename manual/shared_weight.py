r"""Four layers, tanh, one weight used twice: the idea of the recurrent network, Elman 1990.

New against `three_layer_relu`: the activation is the hyperbolic tangent, and the same $w_2$ takes
$h_1^\text{tanh}$ to $h_2$ and then $h_2^\text{tanh}$ to $h_3$. A recurrent network does this at
every step in time; here two of its steps are written out.

Forward, for a batch of n rows and h units in each hidden layer. Written side by side, $x w_1$ is
the matrix product, `x.dot(w1)` in the code; $\hat y$ is the prediction `y_pred`, and $L$ is the
loss:

    h1              $h_1 = x w_1$                                            (n, h)
    h1_tanh         $h_1^\text{tanh} = \tanh(h_1)$                           (n, h)
    h2              $h_2 = h_1^\text{tanh} w_2$                              (n, h)
    h2_tanh         $h_2^\text{tanh} = \tanh(h_2)$                           (n, h)
    h3              $h_3 = h_2^\text{tanh} w_2$                              (n, h)
    h3_tanh         $h_3^\text{tanh} = \tanh(h_3)$                           (n, h)
    y_pred          $\hat y = h_3^\text{tanh} w_3$                           (n, d_out)
    loss            $L = \sum (\hat y - y)^2$                                a number

Backward, from the last line to the first. $\nabla q$ stands for $\partial L / \partial q$, so it
has the shape of $q$; $\odot$ multiplies entry by entry.

1. The derivative of $u^2$ is $2 u$, and each entry of $\hat y$ is in just one of the squares:
      grad_y_pred   $\nabla \hat y = 2 (\hat y - y)$
2. A product $q = a w$ gives $\nabla w = a^\top \nabla q$ and $\nabla a = \nabla q \, w^\top$:
      grad_w3       $\nabla w_3 = (h_3^\text{tanh})^\top \nabla \hat y$
      grad_h3_tanh  $\nabla h_3^\text{tanh} = \nabla \hat y \, w_3^\top$
3. $a = \tanh(h)$ is $p / q$ with $p = e^h - e^{-h}$ and $q = e^h + e^{-h}$. Each of the two is
   the derivative of the other, so the slope is $da/dh = (q q - p p) / q^2 = 1 - a^2$. Written
   in terms of the output like this, it does not need the input again:
      grad_h3       $\nabla h_3 = \nabla h_3^\text{tanh} \odot (1 - (h_3^\text{tanh})^2)$
4. The product $h_2^\text{tanh} w_2$, like step 2, but for now only back to what goes into it:
   $w_2$ is used once more below, so its gradient is not complete yet:
      grad_h2_tanh  $\nabla h_2^\text{tanh} = \nabla h_3 \, w_2^\top$
5. The second tanh, like step 3, with its own output:
      grad_h2       $\nabla h_2 = \nabla h_2^\text{tanh} \odot (1 - (h_2^\text{tanh})^2)$
6. Suppose that the two products had a weight each. Step 2 would give the upper one
   $(h_2^\text{tanh})^\top \nabla h_3$ and the lower one $(h_1^\text{tanh})^\top \nabla h_2$. They
   are the same weight, so a change of it changes both, and the chain rule adds up what the two
   changes do to the loss. What goes into the lower product is used just there:
      grad_w2  $\nabla w_2 = (h_2^\text{tanh})^\top \nabla h_3 + (h_1^\text{tanh})^\top \nabla h_2$
      grad_h1_tanh  $\nabla h_1^\text{tanh} = \nabla h_2 \, w_2^\top$
7. The first tanh, like step 3, with its own output:
      grad_h1       $\nabla h_1 = \nabla h_1^\text{tanh} \odot (1 - (h_1^\text{tanh})^2)$
8. The product $x w_1$, like step 2. Nobody needs the gradient of the data:
      grad_w1       $\nabla w_1 = x^\top \nabla h_1$

Every array may be float64 or float32; what goes in comes out. Nothing passed in is changed.
"""

import numpy as np

# A short training: 200 steps, small enough that the loss falls at each of them.
LEARNING_RATES = 200 * [5e-4]


def init(rng, n=20, d_in=5, h=6, d_out=2):
    """Draw weights and data from the standard normal distribution, and halve w2.

    A large w2, used again and again, makes of tanh a step from -1 to 1, where it has no slope.

    Returns `params, x, y` in float64: a dict of w1 (d_in, h), w2 (h, h) and w3 (h, d_out),
    then x (n, d_in) and y (n, d_out). `rng` is a `numpy.random.Generator`.
    """
    x = rng.standard_normal((n, d_in))
    y = rng.standard_normal((n, d_out))
    params = {
        "w1": rng.standard_normal((d_in, h)),
        "w2": rng.standard_normal((h, h)) / 2,
        "w3": rng.standard_normal((h, d_out)),
    }
    return params, x, y


def forward(params, x, y):
    """Compute every value up to the loss: a dict in the order of computing."""
    w1, w2, w3 = params["w1"], params["w2"], params["w3"]
    h1 = x.dot(w1)  # (n, h)
    h1_tanh = np.tanh(h1)  # (n, h)
    h2 = h1_tanh.dot(w2)  # (n, h)
    h2_tanh = np.tanh(h2)  # (n, h)
    h3 = h2_tanh.dot(w2)  # (n, h)
    h3_tanh = np.tanh(h3)  # (n, h)
    y_pred = h3_tanh.dot(w3)  # (n, d_out)
    loss = np.square(y_pred - y).sum()  # a number
    return {
        "h1": h1,
        "h1_tanh": h1_tanh,
        "h2": h2,
        "h2_tanh": h2_tanh,
        "h3": h3,
        "h3_tanh": h3_tanh,
        "y_pred": y_pred,
        "loss": loss,
    }


def backward(params, x, y, values):
    """Compute the gradient of the loss by every quantity, last one first.

    `values` is what `forward` returned for the same `params`, `x` and `y`.
    """
    w2, w3 = params["w2"], params["w3"]
    h1_tanh, h2_tanh, h3_tanh = values["h1_tanh"], values["h2_tanh"], values["h3_tanh"]
    y_pred = values["y_pred"]
    grad_y_pred = 2.0 * (y_pred - y)  # (n, d_out)
    grad_w3 = h3_tanh.T.dot(grad_y_pred)  # (h, d_out)
    grad_h3_tanh = grad_y_pred.dot(w3.T)  # (n, h)
    grad_h3 = grad_h3_tanh * (1 - h3_tanh**2)  # (n, h)
    grad_h2_tanh = grad_h3.dot(w2.T)  # (n, h)
    grad_h2 = grad_h2_tanh * (1 - h2_tanh**2)  # (n, h)
    grad_w2 = h2_tanh.T.dot(grad_h3) + h1_tanh.T.dot(grad_h2)  # (h, h)
    grad_h1_tanh = grad_h2.dot(w2.T)  # (n, h)
    grad_h1 = grad_h1_tanh * (1 - h1_tanh**2)  # (n, h)
    grad_w1 = x.T.dot(grad_h1)  # (d_in, h)
    return {
        "grad_y_pred": grad_y_pred,
        "grad_w3": grad_w3,
        "grad_h3_tanh": grad_h3_tanh,
        "grad_h3": grad_h3,
        "grad_h2_tanh": grad_h2_tanh,
        "grad_h2": grad_h2,
        "grad_w2": grad_w2,
        "grad_h1_tanh": grad_h1_tanh,
        "grad_h1": grad_h1,
        "grad_w1": grad_w1,
    }
