"""Which activation gives a value: it is read off its slope, whoever computes it."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from handgrad.explain.wording import described

CLOSE = 1e-5  # relative to the largest slope: float32 keeps this much


class Activation(NamedTuple):
    """An activation with its slope, by its input and its output, and how that is written."""

    name: str
    slope: Callable[[np.ndarray, np.ndarray], np.ndarray]
    written: str


ACTIVATIONS = (
    Activation("ReLU", lambda h, _: (h > 0).astype(float), "{h} > 0"),
    Activation("Sigmoid", lambda _, a: a * (1 - a), "{a} * (1 - {a})"),
    Activation("Tanh", lambda _, a: 1 - a**2, "1 - {a}**2"),
)


def activation_of(case, user):
    """Return the Activation that makes a value from a gradient's quantity, None for another one."""
    h, a = case.given(case.quantity).astype(float), case.given(user).astype(float)
    slope = case.recompute({f"grad_{user}": np.ones_like(a)})
    for one in ACTIVATIONS:
        meant = one.slope(h, a)
        if np.abs(slope - meant).max(initial=0.0) <= CLOSE * np.abs(meant).max(initial=0.0):
            return one
    return None


def derivative_of(case, user, activation):
    """Name the derivative of a step, such as "the derivative of the ReLU"."""
    module = case.module(user)
    if module is None and activation is not None:
        return f"the derivative of the {activation.name}"
    return f"the derivative of {described(module)}"
