"""Rung 6: an optimizer takes the step.

New against rung 5 (modules.py): `torch.optim.SGD` has the parameters, clears their gradients
and updates them. The network is rung 5's, so here too `nn.Linear` keeps the weights
transposed, and they are turned on their way in and out.
For you: `step` is the loop under `no_grad`. Another rule, such as Adam, is one other word.
The traps: the S of SGD, stochastic, is up to you: given all rows at once this is plain gradient
descent. The learning rate is kept in `param_groups`. And the optimizer steps the tensors that
it was given: put another one into the model, and that one is not trained.
"""

import torch
from torch import nn

from .modules import network


def train(params, x, y, learning_rates):
    """Train from w1 (d_in, h) and w2 (h, d_out), one step for each learning rate.

    x is (n, d_in), y is (n, d_out). Returns the loss before each step, the gradients of the
    last step and the weights after it. Nothing passed in is changed.
    """
    model = network(params)
    loss_fn = nn.MSELoss(reduction="sum")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)  # each step sets its own below
    losses = []
    for learning_rate in learning_rates:
        y_pred = model(x)  # (n, d_out)
        loss = loss_fn(y_pred, y)  # a number
        losses.append(loss.item())

        optimizer.zero_grad()
        loss.backward()  # the .grad of each parameter, in its shape

        optimizer.param_groups[0]["lr"] = learning_rate
        optimizer.step()  # w -= learning_rate * w.grad
    w1, w2 = model.parameters()  # (h, d_in), (d_out, h)
    grads = {"grad_w1": w1.grad.T, "grad_w2": w2.grad.T}
    return losses, grads, {"w1": w1.detach().T, "w2": w2.detach().T}
