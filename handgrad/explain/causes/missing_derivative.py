"""A gradient that was passed through an activation as it came."""

import numpy as np

from handgrad.explain.activation import activation_of, derivative_of
from handgrad.explain.wording import place
from handgrad.findings import Cause

KIND = "missing-derivative"
LOOKS_LIKE = "the gradient passed through an activation, or a mask, unchanged"
EXAMPLES = [
    ("two_layer_relu", "grad_h_relu * (h > 0)", "grad_h_relu", {"grad_h": "missing-derivative"}),
    (
        "three_layer_sigmoid_bias",
        "grad_h2_sigm * h2_sigm * (1 - h2_sigm)",
        "grad_h2_sigm",
        {"grad_h2": "missing-derivative"},
    ),
    (
        "softmax_cross_entropy",
        "grad_h1_relu * (h1 > 0)",
        "grad_h1_relu",
        {"grad_h1": "missing-derivative"},
    ),
]


def find(case):
    """Explain a gradient that equals that of the activation's output."""
    for user, upstream in case.activations():
        if case.fits(upstream):
            activation = activation_of(case, user)
            if activation is None and (mask := as_mask(case.slope_to(user))):
                return Cause(KIND, f"`{case.name}` equals `grad_{user}`: {mask}, is left out.")
            return Cause(
                KIND,
                f"`{case.name}` equals `grad_{user}`: {derivative_of(case, user, activation)} is "
                f"missing{advice(case, user, activation)}.",
            )
    return None


def as_mask(slope):
    """Name a slope that is a mask, such as dropout's, or return None."""
    if slope is None or slope.all() or np.unique(slope[slope != 0]).size != 1:
        return None
    kept = slope[slope != 0][0]
    return f"a mask between them, 0 {place(slope == 0)} and {kept:.6g} elsewhere"


def advice(case, user, activation):
    """Say what to multiply by, where that is known."""
    if activation is None:
        return ""
    return f"; multiply by `{activation.written.format(h=case.quantity, a=user)}`"
