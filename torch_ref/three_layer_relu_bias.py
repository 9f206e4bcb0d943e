"""Three layers, ReLU, biases: the notebook's cells 21 to 25.

New against `three_layer_relu`: `nn.Linear` has a bias unless it is told not to. Read it
beside `manual/three_layer_relu_bias.py`.
"""

from torch import nn

# Which parameter of the notebook is which of the module; nn.Linear keeps its weight transposed: .T
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
    """x (n, d_in) to y_pred (n, d_out), through hidden layers of `h1` and `h2` units."""

    def __init__(self, d_in=6, h1=8, h2=8, d_out=1):
        super().__init__()
        self.h1 = nn.Linear(d_in, h1)
        self.h1_relu = nn.ReLU()
        self.h2 = nn.Linear(h1, h2)
        self.h2_relu = nn.ReLU()
        self.y_pred = nn.Linear(h2, d_out)

    def forward(self, x):
        h1 = self.h1(x)  # (n, h1)
        h1_relu = self.h1_relu(h1)  # (n, h1)
        h2 = self.h2(h1_relu)  # (n, h2)
        h2_relu = self.h2_relu(h2)  # (n, h2)
        return self.y_pred(h2_relu)  # (n, d_out)
