"""A quantity that was computed from another one than is meant, or without one."""

import numpy as np

from handgrad.findings import Cause

KIND = "other-quantity"
LOOKS_LIKE = "computed from another quantity or without one"
EXAMPLES = [
    (
        "two_layer_relu",
        "h_relu.T.dot(grad_y_pred)",
        "h.T.dot(grad_y_pred)",
        {"grad_w2": "other-quantity"},
    ),
    ("two_layer_relu", "x.T.dot(grad_h)", "x.T.dot(grad_h_relu)", {"grad_w1": "other-quantity"}),
    (
        "three_layer_relu",
        "grad_h2_relu * (h2 > 0)",
        "grad_h2_relu * (h1 > 0)",
        {"grad_h2": "other-quantity"},
    ),
    (
        "three_layer_relu",
        "grad_h1_relu * (h1 > 0)",
        "grad_h1_relu * (h2 > 0)",
        {"grad_h1": "other-quantity"},
    ),
    (
        "three_layer_relu",
        "grad_h1_relu * (h1 > 0)",
        "grad_h2_relu * (h1 > 0)",
        {"grad_h1": "other-quantity"},
    ),
    (
        "three_layer_relu",
        "h2_relu = np.maximum(h2, 0)",
        "h2_relu = np.maximum(h1, 0)",
        {"h2_relu": "other-quantity"},
    ),
    (
        "three_layer_relu",
        "h2_relu.T.dot(grad_y_pred)",
        "h1_relu.T.dot(grad_y_pred)",
        {"grad_w3": "other-quantity"},
    ),
    (
        "three_layer_relu_bias",
        "grad_h2.sum(axis=0)",
        "grad_h2_relu.sum(axis=0)",
        {"grad_b2": "other-quantity"},
    ),
    (
        "three_layer_relu_bias",
        "grad_h1.sum(axis=0)",
        "grad_h2.sum(axis=0)",
        {"grad_b1": "other-quantity"},
    ),
    ("three_layer_relu_bias", "h1_relu.dot(w2) + b2", "h1_relu.dot(w2)", {"h2": "other-quantity"}),
    (
        "three_layer_relu_bias",
        "h1_relu.dot(w2) + b2",
        "h1_relu.dot(w2) + b1",
        {"h2": "other-quantity"},
    ),
    (
        "three_layer_relu_bias",
        '"grad_b2": grad_b2',
        '"grad_b2": grad_h1.sum(axis=0)',
        {"grad_b2": "other-quantity"},
    ),
    (
        "three_layer_sigmoid_bias",
        "h2_sigm = sigmoid(h2)",
        "h2_sigm = sigmoid(h1)",
        {"h2_sigm": "other-quantity"},
    ),
    (
        "three_layer_sigmoid_bias",
        "grad_h2_sigm * h2_sigm * (1 - h2_sigm)",
        "grad_h2_sigm * h1_sigm * (1 - h1_sigm)",
        {"grad_h2": "other-quantity"},
    ),
    (
        "three_layer_sigmoid_bias",
        "h1_sigm.T.dot(grad_h2)",
        "h2_sigm.T.dot(grad_h2)",
        {"grad_w2": "other-quantity"},
    ),
    ("residual", "h1_relu.T.dot(grad_h2)", "total.T.dot(grad_h2)", {"grad_w2": "other-quantity"}),
    (
        "shared_weight",
        "grad_h2_tanh * (1 - h2_tanh**2)",
        "grad_h2_tanh * (1 - h3_tanh**2)",
        {"grad_h2": "other-quantity"},
    ),
    (
        "softmax_cross_entropy",
        "h1_relu.T.dot(grad_scores)",
        "h1.T.dot(grad_scores)",
        {"grad_w2": "other-quantity"},
    ),
    (
        "layer_norm",
        "h1_sigm.T.dot(grad_y_pred)",
        'values["h1_norm"].T.dot(grad_y_pred)',
        {"grad_w2": "other-quantity"},
    ),
]


def find(case):
    """Explain a quantity that is right from another input, or without a parameter."""
    for name in case.inputs():
        right = case.given(name)
        found = [other for other in others(case, name) if explains(case, name, other)]
        if found:
            what = " or ".join(f"`{other}`" for other in found)
            same = ", which come to the same here" * (len(found) > 1)
            return Cause(
                KIND, f"`{case.name}` is computed from {what}{same}, where `{name}` is meant."
            )
        if case.is_parameter(name) and case.fits(case.recompute({name: np.zeros_like(right)})):
            return Cause(KIND, f"`{case.name}` is computed without `{name}`.")
    return None


def others(case, name):
    """Return the names of what may have been taken for an input.

    It has its shape, and is a gradient where that is one, unless it is an input of the step too.
    """
    shape, used = case.given(name).shape, case.steps.inputs(case.name)
    names = [
        other
        for other in case.known()
        if other not in (name, case.name)
        if other in used or other.startswith("grad_") == name.startswith("grad_")
    ]
    return [n for n in names if (array := case.given(n)) is not None and array.shape == shape]


def explains(case, name, other):
    """Say whether a quantity is right from another input; what follows from it cannot be one."""
    return case.fits(case.recompute({name: case.given(other)})) and not case.follows(other)
