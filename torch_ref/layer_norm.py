"""Two layers, layer norm, sigmoid, biases: Ba, Kiros and Hinton 2016, arXiv 1607.06450.

New against `three_layer_sigmoid_bias`: one layer less, and `nn.LayerNorm` before the sigmoid. Read
it beside `manual/layer_norm.py`.
"""

from torch import nn

# Which hand-written parameter is which of the module; nn.Linear keeps its weight transposed: .T
PARAMETERS = {
    "w1": "h1.weight.T",
    "b1": "h1.bias",
    "gamma": "h1_norm.weight",  # one number for each column, nothing to transpose
    "beta": "h1_norm.bias",
    "w2": "y_pred.weight.T",
    "b2": "y_pred.bias",
}

loss_fn = nn.MSELoss(reduction="sum")  # the default, "mean", would divide by n * d_out


class Net(nn.Module):
    """x (n, d_in) to y_pred (n, d_out), through one hidden layer of `h1` units."""

    def __init__(self, d_in=5, h1=6, d_out=2):
        super().__init__()
        self.h1 = nn.Linear(d_in, h1)
        self.h1_norm = nn.LayerNorm(h1, eps=1e-5)  # the variance divided by h1, not by h1 - 1
        self.h1_sigm = nn.Sigmoid()
        self.y_pred = nn.Linear(h1, d_out)

    def forward(self, x):
        h1 = self.h1(x)  # (n, h1)
        h1_norm = self.h1_norm(h1)  # (n, h1)
        h1_sigm = self.h1_sigm(h1_norm)  # (n, h1)
        return self.y_pred(h1_sigm)  # (n, d_out)
