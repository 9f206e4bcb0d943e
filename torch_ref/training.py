"""Plain gradient descent with `torch.optim.SGD`: the bridge from the notebook's loops."""

import torch


def train(model, loss_fn, x, y, learning_rates):
    """Train `model` in place, one step for each of `learning_rates`.

    Returns as Python floats the loss before each step, which is the one the notebook prints.
    """
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    losses = []
    for learning_rate in learning_rates:
        optimizer.param_groups[0]["lr"] = learning_rate
        optimizer.zero_grad()  # .grad adds up until it is cleared
        loss = loss_fn(model(x), y)
        losses.append(loss.item())
        loss.backward()  # fills the .grad of every parameter
        optimizer.step()  # w -= learning_rate * w.grad
    return losses
