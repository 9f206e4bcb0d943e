"""A sigmoid made of exp, known by how it is computed: 1 / (1 + exp(w)).

Its derivative is s (1 - s), and PyTorch's sigmoid has it so. Through exp autograd would have
exp(w) / (1 + exp(w))**2, which is inf / inf at a large w, and keeps digits below the last bit of s
that nobody has who writes s (1 - s). So what exp gives, and 1 and that, is marked by its exponent.
"""

import operator

import torch

MARKS = ("exponent", "exponent_beside_1")


def exp(w):
    """Return the exponential of w, marked by w."""
    result = torch.exp(w)
    result.exponent = w  # type: ignore[attr-defined]
    return result


def add(a, b):
    """Return a + b, marked by w where it is 1 + exp(w)."""
    result = operator.add(a, b)
    for one, other in ((a, b), (b, a)):
        exponent = getattr(other, "exponent", None)
        if exponent is not None and is_number(one, 1):
            result.exponent_beside_1 = exponent
    return result


def divide(a, b):
    """Return a / b, by the sigmoid of -w where b is 1 + exp(w)."""
    exponent = getattr(b, "exponent_beside_1", None)
    if exponent is None:
        return operator.truediv(a, b)
    sigmoid = torch.sigmoid(-exponent)
    return sigmoid if is_number(a, 1) else a * sigmoid


def power(a, b):
    """Return a ** b, likewise where b is -1."""
    if is_number(b, -1) and hasattr(a, "exponent_beside_1"):
        return divide(1, a)
    return operator.pow(a, b)


def reciprocal(a):
    """Return 1 / a, likewise."""
    return divide(1, a) if hasattr(a, "exponent_beside_1") else torch.reciprocal(a)


def is_number(value, number):
    """Say whether a value is this number, a Python one."""
    return not isinstance(value, torch.Tensor) and value == number


def unmarked(tensor):
    """Return a tensor without its mark: what is watched is a step of its own."""
    for mark in MARKS:
        if hasattr(tensor, mark):
            delattr(tensor, mark)
    return tensor
