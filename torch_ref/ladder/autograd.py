"""Rung 3: autograd. The backward pass is one call.

New against rung 2 (tensors.py): the weights say `requires_grad`, and the five lines of
gradients are `loss.backward()`.
For you: PyTorch records each step that the weights go through, walks the record back from the
loss with the same chain rule, and leaves the gradients in `w1.grad` and `w2.grad`.
It costs memory: what the way back needs, such as h_relu, is kept until then.
The traps: `.grad` adds up until it is cleared. Without `no_grad` the update stops with an error:
a tensor that asks for a gradient must not be changed in place. And `h.clamp(min=0)` has the
values of ReLU, but slope 1 where h is exactly 0.
"""

import torch


def train(params, x, y, learning_rates):
    """Train from w1 (d_in, h) and w2 (h, d_out), one step for each learning rate.

    x is (n, d_in), y is (n, d_out). Returns the loss before each step, the gradients of the
    last step and the weights after it. Nothing passed in is changed.
    """
    w1 = params["w1"].clone().requires_grad_()  # (d_in, h)
    w2 = params["w2"].clone().requires_grad_()  # (h, d_out)
    losses = []
    for learning_rate in learning_rates:
        h = x @ w1  # (n, h)
        h_relu = torch.relu(h)  # (n, h)
        y_pred = h_relu @ w2  # (n, d_out)
        loss = (y_pred - y).square().sum()  # a number
        losses.append(loss.item())

        w1.grad = w2.grad = None  # the last step's, else the new ones are added to them
        loss.backward()  # w1.grad (d_in, h), w2.grad (h, d_out)

        with torch.no_grad():
            w1 -= learning_rate * w1.grad
            w2 -= learning_rate * w2.grad
    grads = {"grad_w1": w1.grad, "grad_w2": w2.grad}
    return losses, grads, {"w1": w1.detach(), "w2": w2.detach()}
