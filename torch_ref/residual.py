"""Three layers, ReLU, biases, a residual connection: He et al. 2015, arXiv 1512.03385.

New against `three_layer_relu_bias`: `h1_relu` goes into the second layer and past it. Autograd
adds up the two gradients that come back to it. Read it beside `manual/residual.py`.
"""

from torch import nn

# Which hand-written parameter is which of the module; nn.Linear keeps its weight transposed: .T
PARAMETERS = {
    "w1": "h1.weight.T",
    "b1": "h1.bias",
    "w2": "h2.weight.T",
    "b2": "h2.bias",
    "w3": "y_pred.weight.T",
    "b3": "y_pred.bias",
}

loss_fn = nn.MSELoss(reduction="sum")  # the default, "mean", would divide by n * d_out


class Net(nn.Module):
    """x (n, d_in) to y_pred (n, d_out), through two hidden layers of `h1` units."""

    def __init__(self, d_in=5, h1=6, d_out=2):
        super().__init__()
        self.h1 = nn.Linear(d_in, h1)
        self.h1_relu = nn.ReLU()
        self.h2 = nn.Linear(h1, h1)
        self.total = nn.Identity()  # gives back what it gets, and the sum its name
        self.y_pred = nn.Linear(h1, d_out)

    def forward(self, x):
        h1 = self.h1(x)  # (n, h1)
        h1_relu = self.h1_relu(h1)  # (n, h1)
        h2 = self.h2(h1_relu)  # (n, h1)
        total = self.total(h1_relu + h2)  # (n, h1)
        return self.y_pred(total)  # (n, d_out)
