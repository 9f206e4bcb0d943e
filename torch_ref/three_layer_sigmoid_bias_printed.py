"""A specimen, not a variant: the sigmoid network as the notebook prints it (cell 28).

`h2_sigm` is computed from `h1`, as printed, so `w2` and `b2` do not reach the loss. PyTorch
differentiates what was run: after `loss.backward()` their `.grad` is None. Read it beside
`manual/three_layer_sigmoid_bias_printed.py`, which hands them gradients all the same.
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
        self.h1_sigm = nn.Sigmoid()
        self.h2 = nn.Linear(h1, h2)
        self.h2_sigm = nn.Sigmoid()
        self.y_pred = nn.Linear(h2, d_out)

    def forward(self, x):
        h1 = self.h1(x)  # (n, h1)
        h1_sigm = self.h1_sigm(h1)  # (n, h1)
        self.h2(h1_sigm)  # (n, h2): computed, and never used
        h2_sigm = self.h2_sigm(h1)  # (n, h2): the mistake
        return self.y_pred(h2_sigm)  # (n, d_out)
