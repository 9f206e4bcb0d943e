r"""Two layers, layer norm, sigmoid, biases: Ba, Kiros and Hinton 2016, arXiv 1607.06450.

New against `three_layer_sigmoid_bias`: one layer less, and a layer norm before the sigmoid. It
shifts and scales every row to mean 0 and variance 1, whatever the layer before gives, and then
gives every column a scale $\gamma$ and a shift $\beta$ that are trained.

Forward, for a batch of n rows. Written side by side, $x w_1$ is the matrix product, `x.dot(w1)`
in the code; $\odot$ multiplies entry by entry, $\sigma$ is the sigmoid, $\hat y$ is the prediction
`y_pred`, and $L$ is the loss. $\mu(q)$ is the mean of each row of $q$, `mean` in the code. The
rows of $h_1$ have the means $m = \mu(h_1)$ and, from `spread`,
$r = \sqrt{\mu((h_1 - m)^2) + \epsilon}$: their standard deviations, but for $\epsilon = 10^{-5}$,
which keeps $r$ from being 0. From `standardize` come the rows $z = (h_1 - m) / r$:

    h1            $h_1 = x w_1 + b_1$                                        (n, h1)
    h1_norm       $h_1^\text{norm} = \gamma \odot z + \beta$                 (n, h1)
    h1_sigm       $h_1^\text{sigm} = \sigma(h_1^\text{norm})$                (n, h1)
    y_pred        $\hat y = h_1^\text{sigm} w_2 + b_2$                       (n, d_out)
    loss          $L = \sum (\hat y - y)^2$                                  a number

Backward, from the last line to the first. $\nabla q$ stands for $\partial L / \partial q$, so it
has the shape of $q$.

1. The derivative of $u^2$ is $2 u$, and each entry of $\hat y$ is in just one of the squares:
      grad_y_pred   $\nabla \hat y = 2 (\hat y - y)$
2. A product $q = a w$ gives $\nabla w = a^\top \nabla q$ and $\nabla a = \nabla q \, w^\top$. A
   bias is added to every row with slope 1, so it gets the sum over the rows:
      grad_w2       $\nabla w_2 = (h_1^\text{sigm})^\top \nabla \hat y$
      grad_b2       $\nabla b_2 = \sum_\text{rows} \nabla \hat y$
      grad_h1_sigm  $\nabla h_1^\text{sigm} = \nabla \hat y \, w_2^\top$
3. With $s = h_1^\text{sigm}$ for its output, the slope of the sigmoid is $s (1 - s)$:
      grad_h1_norm  $\nabla h_1^\text{norm} = \nabla h_1^\text{sigm} \odot s \odot (1 - s)$
4. $\gamma$ multiplies every row of $z$, so its slope there is $z$; $\beta$ is added to every row,
   as a bias is. Both get the sum over the rows:
      grad_gamma    $\nabla \gamma = \sum_\text{rows} \nabla h_1^\text{norm} \odot z$
      grad_beta     $\nabla \beta = \sum_\text{rows} \nabla h_1^\text{norm}$
5. By $z$ the slope is $\gamma$, so $\nabla z = \nabla h_1^\text{norm} \odot \gamma$. Now take one
   row $h$ of $h_1$ with $d$ entries. An entry $h_k$ acts on every $z_j = (h_j - m) / r$ of its
   row, since it is in $m$ and in $r$. Its share in the mean is $\partial m / \partial h_k = 1/d$.
   By $h_k$, $r^2$ has slope $2 (h_k - m) / d$: that $m$ moves as well adds nothing, since the
   $h_j - m$ of a row add up to 0. The slope of $r^2$ is also $2 r \, \partial r / \partial h_k$,
   so $\partial r / \partial h_k = (h_k - m) / (r d) = z_k / d$. With $[j = k]$ for 1 where $j$ is
   $k$, else 0, the quotient rule gives
   $\partial z_j / \partial h_k = ([j = k] - 1/d) / r - (h_j - m) / r^2 \cdot z_k / d$, which is
   $([j = k] - 1/d - z_j z_k / d) / r$. Times $(\nabla z)_j$ and added up over $j$, the first term
   leaves $(\nabla z)_k$, the second the mean of $\nabla z$, the third $z_k$ times the mean of
   $\nabla z \odot z$:
      grad_h1       $\nabla h_1 = (\nabla z - \mu(\nabla z) - z \odot \mu(\nabla z \odot z)) / r$
6. The first layer, like step 2. Nobody needs the gradient of the data:
      grad_w1       $\nabla w_1 = x^\top \nabla h_1$
      grad_b1       $\nabla b_1 = \sum_\text{rows} \nabla h_1$

Every array may be float64 or float32; what goes in comes out. Nothing passed in is changed.
"""

import numpy as np

from .three_layer_sigmoid_bias import sigmoid

# A short training: 200 steps, small enough that the loss falls at each of them.
LEARNING_RATES = 200 * [1e-3]


def mean(h):
    """Compute the mean of each row, a column (n, 1)."""
    return h.mean(axis=1, keepdims=True)


def spread(h):
    """Compute the root of each row's variance plus 1e-5, a column (n, 1)."""
    return np.sqrt(mean(np.square(h - mean(h))) + 1e-5)


def standardize(h):
    """Shift and scale each row to mean 0 and, but for the 1e-5, variance 1."""
    return (h - mean(h)) / spread(h)


def init(rng, n=24, d_in=5, h1=6, d_out=2):
    """Draw weights and data from the standard normal distribution.

    Returns `params, x, y` in float64: a dict of w1 (d_in, h1), b1 (h1,), gamma (h1,),
    beta (h1,), w2 (h1, d_out) and b2 (d_out,), then x (n, d_in) and y (n, d_out). `rng` is a
    `numpy.random.Generator`.
    """
    x = rng.standard_normal((n, d_in))
    y = rng.standard_normal((n, d_out))
    params = {
        "w1": rng.standard_normal((d_in, h1)),
        "b1": rng.standard_normal(h1),
        "gamma": rng.standard_normal(h1),
        "beta": rng.standard_normal(h1),
        "w2": rng.standard_normal((h1, d_out)),
        "b2": rng.standard_normal(d_out),
    }
    return params, x, y


def forward(params, x, y):
    """Compute every value up to the loss: a dict in the order of computing."""
    w1, b1 = params["w1"], params["b1"]
    gamma, beta = params["gamma"], params["beta"]
    w2, b2 = params["w2"], params["b2"]
    h1 = x.dot(w1) + b1  # (n, h1)
    h1_norm = gamma * standardize(h1) + beta  # (n, h1)
    h1_sigm = sigmoid(h1_norm)  # (n, h1)
    y_pred = h1_sigm.dot(w2) + b2  # (n, d_out)
    loss = np.square(y_pred - y).sum()  # a number
    return {
        "h1": h1,
        "h1_norm": h1_norm,
        "h1_sigm": h1_sigm,
        "y_pred": y_pred,
        "loss": loss,
    }


def backward(params, x, y, values):
    """Compute the gradient of the loss by every quantity, last one first.

    `values` is what `forward` returned for the same `params`, `x` and `y`.
    """
    gamma, w2 = params["gamma"], params["w2"]
    h1, h1_sigm, y_pred = values["h1"], values["h1_sigm"], values["y_pred"]
    grad_y_pred = 2.0 * (y_pred - y)  # (n, d_out)
    grad_w2 = h1_sigm.T.dot(grad_y_pred)  # (h1, d_out)
    grad_b2 = grad_y_pred.sum(axis=0)  # (d_out,)
    grad_h1_sigm = grad_y_pred.dot(w2.T)  # (n, h1)
    grad_h1_norm = grad_h1_sigm * h1_sigm * (1 - h1_sigm)  # (n, h1)
    z = standardize(h1)  # (n, h1)
    grad_gamma = (grad_h1_norm * z).sum(axis=0)  # (h1,)
    grad_beta = grad_h1_norm.sum(axis=0)  # (h1,)
    grad_z = grad_h1_norm * gamma  # (n, h1)
    grad_h1 = (grad_z - mean(grad_z) - z * mean(grad_z * z)) / spread(h1)  # (n, h1)
    grad_w1 = x.T.dot(grad_h1)  # (d_in, h1)
    grad_b1 = grad_h1.sum(axis=0)  # (h1,)
    return {
        "grad_y_pred": grad_y_pred,
        "grad_w2": grad_w2,
        "grad_b2": grad_b2,
        "grad_h1_sigm": grad_h1_sigm,
        "grad_h1_norm": grad_h1_norm,
        "grad_gamma": grad_gamma,
        "grad_beta": grad_beta,
        "grad_h1": grad_h1,
        "grad_w1": grad_w1,
        "grad_b1": grad_b1,
    }
