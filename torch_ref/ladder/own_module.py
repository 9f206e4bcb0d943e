"""Rung 7: a module of your own.

New against rung 6 (optim.py): the network is a class. `__init__` says which weights there are,
`forward` is rung 2's, and may be any Python. Without `nn.Linear` the weights have the
notebook's names and orientation, and nothing is transposed.
For you: an `nn.Parameter` that is set on a module is found by `parameters()`, so the optimizer
trains it, and by `to`, `zero_grad` and `state_dict`.
The trap: a plain tensor is not found, nor is a parameter in a list. It is not trained, and
nothing warns. What one mostly writes, layers in a class, is torch_ref/two_layer_relu.py.
"""

import torch
from torch import nn


class Net(nn.Module):
    """x (n, d_in) to y_pred (n, d_out), by copies of w1 (d_in, h) and w2 (h, d_out)."""

    def __init__(self, w1, w2):
        super().__init__()
        self.w1 = nn.Parameter(w1.clone())
        self.w2 = nn.Parameter(w2.clone())

    def forward(self, x):
        h = x @ self.w1  # (n, h)
        h_relu = torch.relu(h)  # (n, h)
        return h_relu @ self.w2  # (n, d_out)


def train(params, x, y, learning_rates):
    """Train from w1 (d_in, h) and w2 (h, d_out), one step for each learning rate.

    x is (n, d_in), y is (n, d_out). Returns the loss before each step, the gradients of the
    last step and the weights after it. Nothing passed in is changed.
    """
    model = Net(params["w1"], params["w2"])
    loss_fn = nn.MSELoss(reduction="sum")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)  # each step sets its own below
    losses = []
    for learning_rate in learning_rates:
        y_pred = model(x)  # (n, d_out)
        loss = loss_fn(y_pred, y)  # a number
        losses.append(loss.item())

        optimizer.zero_grad()
        loss.backward()  # w1.grad (d_in, h), w2.grad (h, d_out)

        optimizer.param_groups[0]["lr"] = learning_rate
        optimizer.step()  # w -= learning_rate * w.grad
    grads = {"grad_w1": model.w1.grad, "grad_w2": model.w2.grad}
    return losses, grads, {"w1": model.w1.detach(), "w2": model.w2.detach()}
