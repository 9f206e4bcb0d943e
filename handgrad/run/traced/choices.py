"""Comparisons and what chooses by one: where a forward pass has its kinks and jumps.

A run with slightly moved numbers has to take the same branches. So each choice is made by the
sign of a difference, and whoever opened `tracing` may decide on the signs.
"""

from collections.abc import Callable

import torch

# What gives the signs to go by for a difference; None goes by the numbers as they are.
deciding: list[Callable[[torch.Tensor], torch.Tensor] | None] = [None]


def signs(a, b):
    """Return a tensor whose signs say where a is above b; inf - inf is no difference: 0 or +-1."""
    with torch.no_grad():
        difference = torch.as_tensor(a - b).detach()
        plain = torch.sub((a > b).to(difference.dtype), (a < b).to(difference.dtype))
        decided = deciding[-1](difference)  # type: ignore[misc]
        return torch.where(difference.isnan(), plain, decided)


def is_free(a, b=None):
    """Say whether numbers are compared as they are."""
    if deciding[-1] is None:
        return True
    return not any(isinstance(x, torch.Tensor) and x.dtype.is_floating_point for x in (a, b))


def comparison(function):
    """Return a comparison such as torch.gt that goes by the signs that were decided on."""

    def compare(a, b):
        if is_free(a, b):
            return function(a, b)
        unordered = torch.as_tensor(a != a) | torch.as_tensor(b != b)
        return torch.where(unordered, function(a, b), function(signs(a, b), 0))

    return compare


def chooser(function, side):
    """Return torch.maximum (`side` 1) or torch.minimum (-1) by the signs; a tie is half of each."""

    def choose(a, b):
        if is_free(a, b):
            return function(a, b)
        sign = signs(a, b) * side
        chosen = torch.where(sign > 0, a, torch.where(sign < 0, b, (a + b) / 2))
        return torch.where(a.isnan() | b.isnan(), function(a, b), chosen)

    return choose


maximum, minimum = chooser(torch.maximum, 1), chooser(torch.minimum, -1)


def absolute(tensor):
    """Return |x|."""
    return (
        tensor.abs() if is_free(tensor) else tensor * signs(tensor, torch.zeros_like(tensor)).sign()
    )


def sign(tensor):
    """Return the sign of x, whose derivative is 0."""
    return tensor.sign() if is_free(tensor) else signs(tensor, torch.zeros_like(tensor)).sign()


def heaviside(tensor, at_zero):
    """Return 0 below 0, 1 above, and `at_zero` there."""
    above = sign(tensor)
    return torch.where(above == 0, at_zero, (above + 1) / 2)


def clip(tensor, low, high):
    """Return x within two bounds; either may be None."""
    if low is None and high is None:
        return tensor.clone()
    if is_free(tensor):
        return torch.clamp(tensor, low, high)
    if low is not None:
        tensor = within(tensor, low, 1)
    return tensor if high is None else within(tensor, high, -1)


def within(tensor, bound, side):
    """Return x, or the bound where x is beyond it; at the bound itself the slope is x's."""
    beyond = comparison(torch.lt if side == 1 else torch.gt)(tensor, bound)
    return torch.where(beyond, bound, tensor)
