"""Two layers, ReLU, biases, softmax with cross entropy: the classifier of Bridle 1990.

New against `three_layer_relu_bias`: `nn.CrossEntropyLoss` in place of `nn.MSELoss`. It takes the
scores as they are and does the softmax itself: a softmax at the end of the network would be done
twice. The labels are whole numbers, int64. Read it beside `manual/softmax_cross_entropy.py`.
"""

from torch import nn

# Which hand-written parameter is which of the module; nn.Linear keeps its weight transposed: .T
PARAMETERS = {
    "w1": "h1.weight.T",
    "b1": "h1.bias",
    "w2": "scores.weight.T",
    "b2": "scores.bias",
}

loss_fn = nn.CrossEntropyLoss(reduction="sum")  # the default, "mean", would divide by n


class Net(nn.Module):
    """x (n, d_in) to scores (n, classes), through one hidden layer of `h1` units."""

    def __init__(self, d_in=5, h1=6, classes=4):
        super().__init__()
        self.h1 = nn.Linear(d_in, h1)
        self.h1_relu = nn.ReLU()
        self.scores = nn.Linear(h1, classes)

    def forward(self, x):
        h1 = self.h1(x)  # (n, h1)
        h1_relu = self.h1_relu(h1)  # (n, h1)
        return self.scores(h1_relu)  # (n, classes)
