"""Four layers, tanh, one weight used twice: the idea of the recurrent network, Elman 1990.

New against `three_layer_relu`: `nn.Tanh` in place of `nn.ReLU`, and one parameter in two modules.
Autograd adds up the two gradients that it gets. Read it beside `manual/shared_weight.py`.
"""

from torch import nn

# Which hand-written parameter is which of the module; nn.Linear keeps its weight transposed: .T
PARAMETERS = {"w1": "h1.weight.T", "w2": "h2.weight.T", "w3": "y_pred.weight.T"}

loss_fn = nn.MSELoss(reduction="sum")  # the default, "mean", would divide by n * d_out


class Net(nn.Module):
    """x (n, d_in) to y_pred (n, d_out), through three hidden layers of `h` units."""

    def __init__(self, d_in=5, h=6, d_out=2):
        super().__init__()
        self.h1 = nn.Linear(d_in, h, bias=False)
        self.h1_tanh = nn.Tanh()
        self.h2 = nn.Linear(h, h, bias=False)
        self.h2_tanh = nn.Tanh()
        self.h3 = nn.Linear(h, h, bias=False)
        # One parameter, known as h2.weight. Usual is to call self.h2 twice; here there are two
        # modules that share it, so that h2 and h3 have a name each.
        self.h3.weight = self.h2.weight
        self.h3_tanh = nn.Tanh()
        self.y_pred = nn.Linear(h, d_out, bias=False)

    def forward(self, x):
        h1 = self.h1(x)  # (n, h)
        h1_tanh = self.h1_tanh(h1)  # (n, h)
        h2 = self.h2(h1_tanh)  # (n, h)
        h2_tanh = self.h2_tanh(h2)  # (n, h)
        h3 = self.h3(h2_tanh)  # (n, h)
        h3_tanh = self.h3_tanh(h3)  # (n, h)
        return self.y_pred(h3_tanh)  # (n, d_out)
