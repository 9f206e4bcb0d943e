"""Two layers, ReLU, no biases: the notebook's cells 1 to 12.

Read it beside `manual/two_layer_relu.py`. There is no backward pass here: `forward` records
what it does, and `loss.backward()` walks the record from the last step to the first, with
the same chain rule. Every submodule is named after the quantity that it produces.
"""

from torch import nn

# Which parameter of the notebook is which of the module; nn.Linear keeps its weight transposed: .T
PARAMETERS = {"w1": "h.weight.T", "w2": "y_pred.weight.T"}

loss_fn = nn.MSELoss(reduction="sum")  # the default, "mean", would divide by n * d_out


class Net(nn.Module):
    """x (n, d_in) to y_pred (n, d_out), through one hidden layer of `h` units."""

    def __init__(self, d_in=20, h=32, d_out=1):
        super().__init__()
        self.h = nn.Linear(d_in, h, bias=False)
        self.h_relu = nn.ReLU()
        self.y_pred = nn.Linear(h, d_out, bias=False)

    def forward(self, x):
        h = self.h(x)  # (n, h)
        h_relu = self.h_relu(h)  # (n, h)
        return self.y_pred(h_relu)  # (n, d_out)
