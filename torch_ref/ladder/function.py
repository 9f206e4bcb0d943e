"""Rung 4: a step of your own in autograd, with the backward pass that you derived.

New against rung 3 (autograd.py): ReLU is a `torch.autograd.Function`. Its `backward` is the
line of rung 2, which turns grad_h_relu into grad_h; all other steps stay autograd's.
For you: PyTorch calls `backward` when the walk back from the loss comes by, and hands it the
gradient of what `forward` returned. What `backward` needs, `ctx` keeps from `forward`.
The trap: PyTorch believes you, and a wrong `backward` raises nothing. So let
`torch.autograd.gradcheck` hold it against differences of `forward`, in float64. The slope where
h is exactly 0 no difference can tell; it is your choice, and `h >= 0` would be the notebook's.
"""

import torch


class ReLU(torch.autograd.Function):
    """max(h, 0), with its derivative written by hand."""

    @staticmethod
    def forward(ctx, h):
        """Return h_relu, in the shape of h."""
        ctx.save_for_backward(h)
        return h.clamp(min=0)  # (n, h)

    @staticmethod
    def backward(ctx, grad_h_relu):
        """Return grad_h, in the shape of h: one gradient for each argument of `forward`."""
        (h,) = ctx.saved_tensors
        return grad_h_relu * (h > 0)  # (n, h)


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
        h_relu = ReLU.apply(h)  # (n, h)
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
