"""Rung 8: gradients as a function.

New against rung 7 (own_module.py): the loss is a function of the weights, and
`grad_and_value` makes of it a function that returns the gradients with the loss. There is no
`.grad` to clear, and nothing is changed in place: each step makes new weights from the old.
For you: `functional_call` runs a module with weights from outside in place of its own. Such
functions can be put into each other, for second derivatives or, with `vmap`, one gradient a row.
It costs a second set of weights at each step. The traps: the gradients come first, the loss
second; and a weight that is missing in the dict is the module's own, which stays what it is.
"""

from torch import nn
from torch.func import functional_call, grad_and_value

from .own_module import Net


def train(params, x, y, learning_rates):
    """Train from w1 (d_in, h) and w2 (h, d_out), one step for each learning rate.

    x is (n, d_in), y is (n, d_out). Returns the loss before each step, the gradients of the
    last step and the weights after it. Nothing passed in is changed.
    """
    model = Net(params["w1"], params["w2"])
    loss_fn = nn.MSELoss(reduction="sum")

    def loss_of(params):
        y_pred = functional_call(model, params, (x,))  # (n, d_out)
        return loss_fn(y_pred, y)  # a number

    losses = []
    for learning_rate in learning_rates:
        grads, loss = grad_and_value(loss_of)(params)  # w1 (d_in, h), w2 (h, d_out)
        losses.append(loss.item())
        params = {name: w - learning_rate * grads[name] for name, w in params.items()}
    return losses, {f"grad_{name}": grad for name, grad in grads.items()}, params
