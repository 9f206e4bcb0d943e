"""An activation's derivative that was taken at the wrong place, or by half."""

from collections.abc import Callable

import numpy as np
from torch import nn

from handgrad.explain.wording import described
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

# Of an activation, its slope by what it gives, and what is written in its place.
WRITTEN: dict[type, tuple[str, dict[str, Callable]]] = {
    nn.Sigmoid: (
        "{0} * (1 - {0})",
        {"{0}": lambda a: a, "1 - {0}": lambda a: 1 - a, "1 - {0}**2": lambda a: 1 - a**2},
    ),
    nn.Tanh: (
        "1 - {0}**2",
        {
            "{0}": lambda a: a,
            "1 - {0}": lambda a: 1 - a,
            "{0} * (1 - {0})": lambda a: a * (1 - a),
            "1 + {0}**2": lambda a: 1 + a**2,
            "{0}**2": lambda a: a**2,
        },
    ),
}


def find(case):
    """Explain a derivative that was taken at the wrong place, or by half."""
    for user, upstream in case.activations():
        if sentence := reading(case, user, upstream):
            what = f"the derivative of {described(case.module(user))}"
            return Cause(KIND, f"In `{case.name}`, {what} {sentence}.")
    return None


def reading(case, user, upstream):
    """Return what is wrong with the derivative of one activation, or None."""
    q = case.quantity
    inner, outer = case.given(q).astype(np.float64), case.given(user).astype(np.float64)
    if case.fits(case.recompute({q: outer})):
        return f"is taken at its output `{user}`, not at its input `{q}`"
    if case.fits(case.recompute(saved={user: inner})):
        return f"is written for the output `{user}`, but fed with the input `{q}`"
    module = case.module(user)
    if case.fits(case.recompute({q: -inner})):
        why = ", as if a comparison were reversed" * isinstance(module, KINKED)
        return f"is taken at -`{q}`{why}"
    meant, written = WRITTEN.get(type(module), ("", {}))
    for text, slope in written.items():
        if case.fits(upstream * slope(outer)):
            return f"is {text.format(f'`{user}`')}, where {meant.format(f'`{user}`')} is meant"
    return None
