"""Rung 9: the forward pass compiled, and with it the backward pass.

New against rung 7 (own_module.py): the loss is a function that `torch.compile` has wrapped.
For you: at the first call PyTorch reads the Python, derives the backward pass from it and hands
both to a backend. "inductor", the default, writes code in which neighbouring steps are one
loop. It needs a C++ compiler and Python's header files for the CPU, and Triton for a GPU.
"aot_eager" needs neither: it derives the backward pass too, but writes no code.
It costs seconds at the first call, which a network as small as this one never earns back.
The trap: what was compiled holds for what it saw. A second number of rows is compiled once more,
then with that number left open; another dtype is compiled anew. After eight such versions PyTorch
runs the plain Python, with no more than a line in the log.
"""

import torch
from torch import nn

from .own_module import Net


def train(params, x, y, learning_rates, backend="inductor"):
    """Train from w1 (d_in, h) and w2 (h, d_out), one step for each learning rate.

    x is (n, d_in), y is (n, d_out). `backend` is what `torch.compile` takes. Returns the loss
    before each step, the gradients of the last step and the weights after it. Nothing passed
    in is changed.
    """
    model = Net(params["w1"], params["w2"])
    loss_fn = nn.MSELoss(reduction="sum")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)  # each step sets its own below

    @torch.compile(backend=backend)
    def loss_of(x, y):
        y_pred = model(x)  # (n, d_out)
        return loss_fn(y_pred, y)  # a number

    losses = []
    for learning_rate in learning_rates:
        loss = loss_of(x, y)
        losses.append(loss.item())

        optimizer.zero_grad()
        loss.backward()  # w1.grad (d_in, h), w2.grad (h, d_out)

        optimizer.param_groups[0]["lr"] = learning_rate
        optimizer.step()  # w -= learning_rate * w.grad
    grads = {"grad_w1": model.w1.grad, "grad_w2": model.w2.grad}
    return losses, grads, {"w1": model.w1.detach(), "w2": model.w2.detach()}
