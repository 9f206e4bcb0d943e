"""Activations with their slopes, and which one a step is: it is read off its slope."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import torch

from handgrad.explain.wording import described

CLOSE = 1e-5  # relative to the largest slope: float32 keeps this much
LEAKS = (0.01, 0.1, 0.2, 0.3, 0.05, 0.02, 0.001)  # that people give a leaky ReLU
BEND, CUBE = np.sqrt(2 / np.pi), 0.044715  # of the GELU that is written with tanh

Slope = Callable[[np.ndarray, np.ndarray], np.ndarray]


class Activation(NamedTuple):
    """An activation: its value by its input h, its slope by h and the output a, as it is written.

    `parts` are slopes that leave out a part of it, by what is said of them.
    """

    name: str
    value: Callable[[np.ndarray], np.ndarray]
    slope: Slope
    written: str
    parts: Mapping[str, Slope] = MappingProxyType({})


def sigmoid(h):
    """Return the sigmoid, without an overflow."""
    small = np.exp(-np.abs(h))
    return np.where(h > 0, 1, small) / (1 + small)


def bell(h):
    """Return the density of the standard normal distribution."""
    return np.exp(-(h**2) / 2) / np.sqrt(2 * np.pi)


def below(h):
    """Return how much of the standard normal distribution lies below h."""
    return torch.special.ndtr(torch.as_tensor(h, dtype=torch.float64)).numpy()


def bent(h):
    """Return the tanh in the GELU that is written with it."""
    return np.tanh(BEND * (h + CUBE * h**3))


def bent_slope(h, inside=1.0):
    """Return the second term of that GELU's slope, with the slope of what is inside the tanh."""
    return 0.5 * h * (1 - bent(h) ** 2) * inside


def leaky(leak):
    """Return the leaky ReLU with a slope below 0."""
    return Activation(
        "leaky ReLU",
        lambda h: np.where(h > 0, h, leak * h),
        lambda h, _: np.where(h > 0, 1, leak),
        f"np.where({{h}} > 0, 1, {leak:g})",
    )


ACTIVATIONS = (
    Activation("ReLU", lambda h: np.maximum(h, 0), lambda h, _: (h > 0).astype(float), "{h} > 0"),
    Activation("Sigmoid", sigmoid, lambda _, a: a * (1 - a), "{a} * (1 - {a})"),
    Activation("Tanh", np.tanh, lambda _, a: 1 - a**2, "1 - {a}**2"),
    Activation("Softplus", lambda h: np.logaddexp(h, 0), lambda h, _: sigmoid(h), "sigmoid({h})"),
    Activation(
        "ELU",
        lambda h: np.where(h > 0, h, np.expm1(np.minimum(h, 0))),
        lambda h, _: np.where(h > 0, 1, np.exp(np.minimum(h, 0))),
        "np.where({h} > 0, 1, exp({h}))",
        {
            "np.where({h} > 0, 1, {a})": lambda h, a: np.where(h > 0, 1, a),
            "np.where({h} > 0, 1, {h})": lambda h, _: np.where(h > 0, 1, h),
        },
    ),
    Activation(
        "SiLU",
        lambda h: h * sigmoid(h),
        lambda h, _: sigmoid(h) + h * sigmoid(h) * sigmoid(-h),
        "s + {h} * s * (1 - s), with s = sigmoid({h})",
        {
            "the one term sigmoid({h})": lambda h, _: sigmoid(h),
            "the one term {h} * s * (1 - s), with s = sigmoid({h})": lambda h, _: (
                h * sigmoid(h) * sigmoid(-h)
            ),
            "s + {h} * s, with s = sigmoid({h})": lambda h, _: sigmoid(h) * (1 + h),
            "s + s * (1 - s), with s = sigmoid({h})": lambda h, _: sigmoid(h) * (2 - sigmoid(h)),
        },
    ),
    Activation(
        "GELU",
        lambda h: 0.5 * h * (1 + bent(h)),
        lambda h, _: 0.5 * (1 + bent(h)) + bent_slope(h, BEND * (1 + 3 * CUBE * h**2)),
        "0.5 * (1 + t) + 0.5 * {h} * (1 - t**2) * t' (t is the tanh in it, t' the slope of what is "
        "inside that)",
        {
            "the one term 0.5 * (1 + t), where t is the tanh in it": lambda h, _: (
                0.5 * (1 + bent(h))
            ),
            "the one term 0.5 * {h} * (1 - t**2) * t', t the tanh in it": lambda h, _: bent_slope(
                h, BEND * (1 + 3 * CUBE * h**2)
            ),
            "0.5 * (1 + t) + 0.5 * {h} * (1 - t**2), without the slope of what is inside the "
            "tanh t": lambda h, _: 0.5 * (1 + bent(h)) + bent_slope(h),
            "its own but for the 3 in the slope of {h}**3": lambda h, _: (
                0.5 * (1 + bent(h)) + bent_slope(h, BEND * (1 + CUBE * h**2))
            ),
            "its own but for the sqrt(2 / pi) inside the tanh": lambda h, _: (
                0.5 * (1 + bent(h)) + bent_slope(h, 1 + 3 * CUBE * h**2)
            ),
        },
    ),
    Activation(
        "GELU",
        lambda h: h * below(h),
        lambda h, _: below(h) + h * bell(h),
        "Phi({h}) + {h} * phi({h})",
        {
            "the one term Phi({h})": lambda h, _: below(h),
            "the one term {h} * phi({h})": lambda h, _: h * bell(h),
            "Phi({h}) + phi({h})": lambda h, _: below(h) + bell(h),
        },
    ),
    Activation("exp", np.exp, lambda h, _: np.exp(h), "exp({h})"),
    Activation("square", np.square, lambda h, _: 2 * h, "2 * {h}"),
    *map(leaky, LEAKS),
)


def activation_by(h, a, slope):
    """Return the Activation that has a slope at an input h with the output a, None for others."""
    size = np.abs(slope).max(initial=0.0)
    for one in ACTIVATIONS:
        meant = one.slope(h, a)
        if np.abs(slope - meant).max(initial=0.0) <= CLOSE * np.abs(meant).max(initial=0.0):
            return one
    is_above = h > 0
    if not is_above.all() and (slope[is_above] == 1).all() and 0 < np.ptp(slope) < size:
        leak = slope[~is_above]
        return leaky(float(leak[0])) if np.ptp(leak) <= CLOSE * size else None
    return None


def activation_of(case, user):
    """Return the Activation that makes a value from a gradient's quantity, None for another one."""
    h, a = case.given(case.quantity).astype(float), case.given(user).astype(float)
    slope = case.slope_to(user)
    return None if slope is None else activation_by(h, a, slope)


def derivative_of(case, user, activation):
    """Name the derivative of a step, such as "the derivative of the ReLU"."""
    module = None if user is None else case.module(user)
    if module is None and activation is not None:
        return f"the derivative of the {activation.name}"
    return f"the derivative of {described(module)}"
