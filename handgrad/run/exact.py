"""What PyTorch cuts off, or computes in a way of its own, computed by its formula.

`softplus` is x itself above 20, which is off by up to 2e-9; the logarithms of
`binary_cross_entropy` end at -100, and the denominator of its derivative at 1e-12. In float32
that is rounding, or a safeguard; a derivation in float64 that does without is no less right. And
`softmax` subtracts the largest entry: exp(x - logsumexp(x)) has in between a number as large as x,
whose rounding PyTorch's never shows.
"""

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

ENOUGH = 50.0  # beyond it log(1 + exp(x)) is x to the last bit of float64


class ExactFunctions(TorchFunctionMode):
    """Let PyTorch compute these functions as their formulas say.

    Without a `move` that is what PyTorch cuts off; with one it is what has something in between,
    which `move` changes.
    """

    def __init__(self, move=None):
        super().__init__()
        self.move = move

    def __torch_function__(self, func, types, args=(), kwargs=None):
        """Call PyTorch's function `func`, or what stands for it here."""
        if self.move is not None:
            if func in (functional.softmax, torch.softmax, torch.Tensor.softmax):
                func = self.softmax
        elif func in (functional.softplus, torch._C._nn.softplus):
            func = softplus
        elif func is functional.binary_cross_entropy:
            func = binary_cross_entropy
        return func(*args, **(kwargs or {}))

    def softmax(self, input, dim=None, *_, dtype=None, **_more):  # noqa: A002 (PyTorch calls it so)
        """Return exp(x - logsumexp(x)) along a dimension, with the logsumexp moved."""
        if dim is None:
            return torch.softmax(input, -1, dtype)
        x = input if dtype is None else input.to(dtype)
        return torch.exp(x - self.move(None, torch.logsumexp(x, dim, keepdim=True)))


def softplus(input, beta=1.0, threshold=20.0):  # noqa: A002 (PyTorch calls it so)
    """Return log(1 + exp(beta x)) / beta, entry by entry."""
    x = beta * input
    small = torch.log1p(torch.exp(torch.clamp(x, max=ENOUGH)))
    return torch.where(x > ENOUGH, x, small) / beta


def binary_cross_entropy(
    input,  # noqa: A002 (PyTorch calls it so)
    target,
    weight=None,
    size_average=None,
    reduce=None,
    reduction="mean",
):
    """Return -(y log p + (1 - y) log(1 - p)), where a factor of 0 leaves nothing of its term."""
    losses = -(torch.xlogy(target, input) + torch.special.xlog1py(1 - target, -input))
    losses = losses if weight is None else losses * weight
    if reduction == "none":
        return losses
    return losses.mean() if reduction == "mean" else losses.sum()
