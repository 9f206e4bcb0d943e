"""Rung 5: layers and a loss from torch.nn.

New against rung 3 (autograd.py; what rung 4 did by hand is nn.ReLU again): the forward pass is
a module, `nn.Sequential`, that holds its weights, and the loss is `nn.MSELoss`.
For you: the modules hold the weights, hand them out as `model.parameters()`, clear their
gradients with `zero_grad`, and load them by name: the layer's position and `weight`.
The traps: `nn.Linear` keeps its weight as (out, in), the transpose of the notebook's, so all
weights and gradients are transposed on their way in and out; a square weight loaded as it is
raises no error. And `nn.MSELoss` averages over all n * d_out entries unless told to sum.
"""

import torch
from torch import nn


def network(params):
    """Build the network, and copy w1 (d_in, h) and w2 (h, d_out) into it."""
    d_in, h = params["w1"].shape
    d_out = params["w2"].shape[1]
    model = nn.Sequential(
        nn.Linear(d_in, h, bias=False),
        nn.ReLU(),
        nn.Linear(h, d_out, bias=False),
    )
    model.to(params["w1"])  # its dtype and device
    model.load_state_dict({"0.weight": params["w1"].T, "2.weight": params["w2"].T})
    return model


def train(params, x, y, learning_rates):
    """Train from w1 (d_in, h) and w2 (h, d_out), one step for each learning rate.

    x is (n, d_in), y is (n, d_out). Returns the loss before each step, the gradients of the
    last step and the weights after it. Nothing passed in is changed.
    """
    model = network(params)
    loss_fn = nn.MSELoss(reduction="sum")
    losses = []
    for learning_rate in learning_rates:
        y_pred = model(x)  # (n, d_out)
        loss = loss_fn(y_pred, y)  # a number
        losses.append(loss.item())

        model.zero_grad()
        loss.backward()  # the .grad of each parameter, in its shape

        with torch.no_grad():
            for w in model.parameters():
                w -= learning_rate * w.grad
    w1, w2 = model.parameters()  # (h, d_in), (d_out, h)
    grads = {"grad_w1": w1.grad.T, "grad_w2": w2.grad.T}
    return losses, grads, {"w1": w1.detach().T, "w2": w2.detach().T}
