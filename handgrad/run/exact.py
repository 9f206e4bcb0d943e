"""What PyTorch cuts off, or computes in a way of its own, computed by its formula.

`softplus` is x itself above 20, which is off by up to 2e-9; the logarithms of
`binary_cross_entropy` end at -100, and the denominator of its derivative at 1e-12. In float32
that is rounding, or a safeguard; a derivation in float64 that does without is no less right.

Other formulas have a number in between that is far larger than what comes out, and so is its
rounding; but how much that is, no move of the input shows. `softmax` subtracts the largest entry,
where exp(x - logsumexp(x)) has a number as large as x in between; far below 0 GELU is the rest of
1 + tanh(...) or 1 + erf(...), which are exactly 0 in the one program and a last bit in the other;
and PyTorch's binary cross entropy of logits is the difference of two numbers as large as these.
"""

import math
from typing import Any

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from handgrad.run.graph import Substituted

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
        if self.move is None:
            func = CUT_OFF.get(func, func)
        elif func in IN_BETWEEN:
            return IN_BETWEEN[func](self.moved, *args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))

    def moved(self, tensor):
        """Return what goes on in place of a number in between; its derivative is still taken."""
        return Substituted.apply(tensor, self.move(None, tensor), None)


def softmax(moved, input, dim=None, *_, dtype=None, **_more):  # noqa: A002 (PyTorch calls it so)
    """Return exp(x - logsumexp(x)) along a dimension, with the logsumexp moved."""
    if dim is None:
        return torch.softmax(input, -1, dtype)
    x = input if dtype is None else input.to(dtype)
    return torch.exp(x - moved(torch.logsumexp(x, dim, keepdim=True)))


def gelu(moved, input, approximate="none"):  # noqa: A002
    """Return x (1 + erf(x / sqrt(2))) / 2 or what approximates it, with the erf or tanh moved."""
    x = input
    if approximate == "none":
        return 0.5 * x * (1 + moved(torch.erf(x / math.sqrt(2))))
    return 0.5 * x * (1 + moved(torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))))


def binary_cross_entropy_with_logits(
    moved,
    input,  # noqa: A002
    target,
    weight=None,
    size_average=None,
    reduce=None,
    reduction="mean",
    pos_weight=None,
):
    """Return (1 - y) x - log(sigmoid(x)), with the logarithm moved; `pos_weight` is that of y."""
    log_weight = 1.0 if pos_weight is None else 1 + (pos_weight - 1) * target
    losses = (1 - target) * input - log_weight * moved(functional.logsigmoid(input))
    return reduced(losses, weight, reduction)


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
    return reduced(losses, weight, reduction)


def reduced(losses, weight, reduction):
    """Return what a loss of PyTorch's makes of those of the entries."""
    losses = losses if weight is None else losses * weight
    if reduction == "none":
        return losses
    return losses.mean() if reduction == "mean" else losses.sum()


# What stands for a function of PyTorch's.
CUT_OFF: dict[Any, Any] = {
    functional.softplus: softplus,
    functional.binary_cross_entropy: binary_cross_entropy,
}
IN_BETWEEN: dict[Any, Any] = {
    functional.softmax: softmax,
    torch.softmax: softmax,
    torch.Tensor.softmax: softmax,
    functional.gelu: gelu,
    functional.binary_cross_entropy_with_logits: binary_cross_entropy_with_logits,
}
