"""An activation's derivative that was taken at the wrong place, or by half."""

from collections.abc import Callable

import numpy as np

from handgrad.explain.activation import activation_of, derivative_of
from handgrad.findings import Cause
from handgrad.run.kinks import KINKED

KIND = "wrong-derivative"
LOOKS_LIKE = "taken at the output instead of the input, or the reverse, or half of it"
EXAMPLES = [
    (
        "two_layer_relu",
        "grad_h_relu * (h > 0)",
        "grad_h_relu * (h < 0)",
        {"grad_h": "wrong-derivative"},
    ),
    (
        "three_layer_sigmoid_bias",
        "grad_h2_sigm * h2_sigm * (1 - h2_sigm)",
        'grad_h2_sigm * values["h2"] * (1 - values["h2"])',
        {"grad_h2": "wrong-derivative"},
    ),
    (
        "three_layer_sigmoid_bias",
        "grad_h2_sigm * h2_sigm * (1 - h2_sigm)",
        "grad_h2_sigm * sigmoid(h2_sigm) * (1 - sigmoid(h2_sigm))",
        {"grad_h2": "wrong-derivative"},
    ),
    (
        "three_layer_sigmoid_bias",
        "grad_h2_sigm * h2_sigm * (1 - h2_sigm)",
        "grad_h2_sigm * h2_sigm",
        {"grad_h2": "wrong-derivative"},
    ),
    (
        "three_layer_sigmoid_bias",
        "grad_h1_sigm * h1_sigm * (1 - h1_sigm)",
        "grad_h1_sigm * (1 - h1_sigm)",
        {"grad_h1": "wrong-derivative"},
    ),
    (
        "shared_weight",
        "grad_h3_tanh * (1 - h3_tanh**2)",
        'grad_h3_tanh * (1 - values["h3"] ** 2)',
        {"grad_h3": "wrong-derivative"},
    ),
]

# What is written in the place of an activation's slope, by what the activation gives.
WRITTEN: dict[str, dict[str, Callable[[np.ndarray], np.ndarray]]] = {
    "Sigmoid": {
        "{a}": lambda a: a,
        "1 - {a}": lambda a: 1 - a,
        "1 - {a}**2": lambda a: 1 - a**2,
    },
    "Tanh": {
        "{a}": lambda a: a,
        "1 - {a}": lambda a: 1 - a,
        "{a} * (1 - {a})": lambda a: a * (1 - a),
        "1 + {a}**2": lambda a: 1 + a**2,
        "{a}**2": lambda a: a**2,
    },
}


def find(case):
    """Explain a derivative that was taken at the wrong place, or by half."""
    for user, upstream in case.activations():
        activation = activation_of(case, user)
        if sentence := reading(case, user, upstream, activation):
            what = derivative_of(case, user, activation)
            return Cause(KIND, f"In `{case.name}`, {what} {sentence}.")
    return None


def reading(case, user, upstream, activation):
    """Return what is wrong with the derivative of one activation, or None.

    Where a module gives the value, autograd can be fed with the input; a user's own forward pass
    may make it in many steps, and only the slope that is known can.
    """
    q = case.quantity
    inner, outer = case.given(q).astype(np.float64), case.given(user).astype(np.float64)
    if case.fits(case.recompute({q: outer})):
        return f"is taken at its output `{user}`, not at its input `{q}`"
    fed = np.nan if activation is None else upstream * activation.slope(inner, inner)
    if case.fits(case.recompute(saved={user: inner})) or case.fits(fed):
        return f"is written for the output `{user}`, but fed with the input `{q}`"
    name = "" if activation is None else activation.name
    if case.fits(case.recompute({q: -inner})):
        is_kinked = name == "ReLU" or isinstance(case.module(user), KINKED)
        return f"is taken at -`{q}`" + ", as if a comparison were reversed" * is_kinked
    for text, slope in WRITTEN.get(name, {}).items():
        if case.fits(upstream * slope(outer)):
            meant = activation.written.format(a=f"`{user}`")
            return f"is {text.format(a=f'`{user}`')}, where {meant} is meant"
    return None
