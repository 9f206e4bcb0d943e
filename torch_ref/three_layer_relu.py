"""Three layers, ReLU, no biases: the notebook's cells 13 to 20.

New against `two_layer_relu`: a second hidden layer, one more `nn.Linear` and one more
`nn.ReLU`. Read it beside `manual/three_layer_relu.py`.
"""

from torch import nn

# Which parameter of the notebook is which of the module; nn.Linear keeps its weight transposed: .T
PARAMETERS = {"w1": "h1.weight.T", "w2": "h2.weight.T", "w3": "y_pred.weight.T"}

loss_fn = nn.MSELoss(reduction="sum")  # the default, "mean", would divide by n * d_out


class Net(nn.Module):
    """x (n, d_in) to y_pred (n, d_out), through hidden layers of `h1` and `h2` units."""

    def __init__(self, d_in=6, h1=8, h2=8, d_out=1):
        super().__init__()
        self.h1 = nn.Linear(d_in, h1, bias=False)
        self.h1_relu = nn.ReLU()
        self.h2 = nn.Linear(h1, h2, bias=False)
        self.h2_relu = nn.ReLU()
        self.y_pred = nn.Linear(h2, d_out, bias=False)

    def forward(self, x):
        h1 = self.h1(x)  # (n, h1)
        h1_relu = self.h1_relu(h1)  # (n, h1)
        h2 = self.h2(h1_relu)  # (n, h2)
        h2_relu = self.h2_relu(h2)  # (n, h2)
        return self.y_pred(h2_relu)  # (n, d_out)
