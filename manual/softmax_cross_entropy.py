r"""Two layers, ReLU, biases, softmax with cross entropy: the classifier of Bridle 1990.

New against `three_layer_relu_bias`: the network tells classes apart. It gives each row a score
for every class, $y$ is the class that is right, its label, and the loss is a cross entropy.

Forward, for a batch of n rows. Written side by side, $x w_1$ is the matrix product, `x.dot(w1)`
in the code; $s$ are the `scores`, $s_y$ is the score of each row's label, a whole number from 0,
and $L$ is the loss. Softmax turns a row of scores into probabilities that add up to 1,
$p_k = e^{s_k} / \sum_j e^{s_j}$, and the cross entropy of a row is $-\log p_y$: 0 if the label
were certain, and more the less likely it is. With the logarithm of the quotient written out:

    h1            $h_1 = x w_1 + b_1$                                        (n, h1)
    h1_relu       $h_1^\text{relu} = \max(h_1, 0)$                           (n, h1)
    scores        $s = h_1^\text{relu} w_2 + b_2$                            (n, classes)
    loss          $L = \sum (\log \sum_\text{classes} e^s - s_y)$            a number

Backward, from the last line to the first. $\nabla q$ stands for $\partial L / \partial q$, so it
has the shape of $q$; $\odot$ multiplies entry by entry.

1. No row of scores acts on another's term, so take one row. By $s_k$, the sum $u = \sum_j e^{s_j}$
   has slope $e^{s_k}$, and $\log u$ has slope $1 / u$ by $u$; so $\log u$ has slope
   $e^{s_k} / u$ by $s_k$, and that is the softmax $p_k$. What is taken away, $s_y$, has slope 1
   by the score of the label and 0 by the others. $[k = y]$ is 1 where the column $k$ is that of
   the label, else 0:
      grad_scores   $\nabla s = \text{softmax}(s) - [k = y]$
2. A product $q = a w$ gives $\nabla w = a^\top \nabla q$ and $\nabla a = \nabla q \, w^\top$. A
   bias is added to every row with slope 1, so it gets the sum over the rows:
      grad_w2       $\nabla w_2 = (h_1^\text{relu})^\top \nabla s$
      grad_b2       $\nabla b_2 = \sum_\text{rows} \nabla s$
      grad_h1_relu  $\nabla h_1^\text{relu} = \nabla s \, w_2^\top$
3. ReLU has slope 1 where its input is positive, else 0 (at 0 as in PyTorch). $[h_1 > 0]$ is that
   slope:
      grad_h1       $\nabla h_1 = \nabla h_1^\text{relu} \odot [h_1 > 0]$
4. The first layer, like step 2. Nobody needs the gradient of the data:
      grad_w1       $\nabla w_1 = x^\top \nabla h_1$
      grad_b1       $\nabla b_1 = \sum_\text{rows} \nabla h_1$

Every array but the labels may be float64 or float32; what goes in comes out. Nothing passed in
is changed.
"""

import numpy as np

# A short training: 200 steps, small enough that the loss falls at each of them.
LEARNING_RATES = 200 * [1e-3]


def softmax(scores):
    """Compute exp(scores) / sum(exp(scores)) row by row, for scores of any size.

    As it stands the formula overflows for large scores. Divided by the exponential of the row's
    largest score above and below, it takes no exponential of a positive number.
    """
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def log_sum_exp(scores):
    """Compute log(sum(exp(scores))) row by row, for scores of any size.

    As in `softmax` the row's largest score is taken away first, and added again at the end. The
    sum is 1 or more, so its logarithm is finite.
    """
    top = scores.max(axis=1, keepdims=True)
    return np.log(np.exp(scores - top).sum(axis=1)) + top[:, 0]


def init(rng, n=24, d_in=5, h1=6, classes=4):
    """Draw weights and data from the standard normal distribution, and labels at random.

    Returns `params, x, y`: a dict of w1 (d_in, h1), b1 (h1,), w2 (h1, classes) and
    b2 (classes,), then x (n, d_in), all in float64, and y (n,), whole numbers below `classes`.
    `rng` is a `numpy.random.Generator`.
    """
    x = rng.standard_normal((n, d_in))
    y = rng.integers(0, classes, n)
    params = {
        "w1": rng.standard_normal((d_in, h1)),
        "b1": rng.standard_normal(h1),
        "w2": rng.standard_normal((h1, classes)),
        "b2": rng.standard_normal(classes),
    }
    return params, x, y


def forward(params, x, y):
    """Compute every value up to the loss: a dict in the order of computing."""
    w1, b1 = params["w1"], params["b1"]
    w2, b2 = params["w2"], params["b2"]
    h1 = x.dot(w1) + b1  # (n, h1)
    h1_relu = np.maximum(h1, 0)  # (n, h1)
    scores = h1_relu.dot(w2) + b2  # (n, classes)
    # scores[np.arange(len(y)), y] has scores[i, y[i]] of each row i
    loss = (log_sum_exp(scores) - scores[np.arange(len(y)), y]).sum()  # a number
    return {"h1": h1, "h1_relu": h1_relu, "scores": scores, "loss": loss}


def backward(params, x, y, values):
    """Compute the gradient of the loss by every quantity, last one first.

    `values` is what `forward` returned for the same `params`, `x` and `y`.
    """
    w2 = params["w2"]
    h1, h1_relu, scores = values["h1"], values["h1_relu"], values["scores"]
    k = np.arange(scores.shape[1])  # (classes,)
    grad_scores = softmax(scores) - (k == y[:, np.newaxis])  # (n, classes)
    grad_w2 = h1_relu.T.dot(grad_scores)  # (h1, classes)
    grad_b2 = grad_scores.sum(axis=0)  # (classes,)
    grad_h1_relu = grad_scores.dot(w2.T)  # (n, h1)
    grad_h1 = grad_h1_relu * (h1 > 0)  # (n, h1)
    grad_w1 = x.T.dot(grad_h1)  # (d_in, h1)
    grad_b1 = grad_h1.sum(axis=0)  # (h1,)
    return {
        "grad_scores": grad_scores,
        "grad_w2": grad_w2,
        "grad_b2": grad_b2,
        "grad_h1_relu": grad_h1_relu,
        "grad_h1": grad_h1,
        "grad_w1": grad_w1,
        "grad_b1": grad_b1,
    }
