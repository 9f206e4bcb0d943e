"""Rung 2: tensors in place of arrays. The gradients are still written by hand.

New against NumPy (manual/two_layer_relu.py): what was an array is a `torch.Tensor`. The lines
stay as they were, with `@` for `.dot` and `torch.relu` for `np.maximum(h, 0)`.
For you: the same lines run on a GPU, if that is where `params`, `x` and `y` are.
The trap: NumPy makes float64 unless told otherwise, PyTorch float32, and `@` refuses to mix the
two. As in NumPy, `w1 -= ...` changes the tensor itself, hence the clones; a tensor that came
from `torch.from_numpy` would change its array with it.
"""

import torch


def train(params, x, y, learning_rates):
    """Train from w1 (d_in, h) and w2 (h, d_out), one step for each learning rate.

    x is (n, d_in), y is (n, d_out). Returns the loss before each step, the gradients of the
    last step and the weights after it. Nothing passed in is changed.
    """
    w1 = params["w1"].clone()  # (d_in, h)
    w2 = params["w2"].clone()  # (h, d_out)
    losses = []
    for learning_rate in learning_rates:
        h = x @ w1  # (n, h)
        h_relu = torch.relu(h)  # (n, h)
        y_pred = h_relu @ w2  # (n, d_out)
        loss = (y_pred - y).square().sum()  # a number
        losses.append(loss.item())

        grad_y_pred = 2.0 * (y_pred - y)  # (n, d_out)
        grad_w2 = h_relu.T @ grad_y_pred  # (h, d_out)
        grad_h_relu = grad_y_pred @ w2.T  # (n, h)
        grad_h = grad_h_relu * (h > 0)  # (n, h)
        grad_w1 = x.T @ grad_h  # (d_in, h)

        w1 -= learning_rate * grad_w1
        w2 -= learning_rate * grad_w2
    return losses, {"grad_w1": grad_w1, "grad_w2": grad_w2}, {"w1": w1, "w2": w2}
