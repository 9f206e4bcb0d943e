"""Another shape than the right one."""

import numpy as np

from handgrad.findings import Cause

KIND = "shape"
LOOKS_LIKE = "transposed, not summed over the rows, (n,) broadcast against (n, 1)"
EXAMPLES = [
    ("two_layer_relu", '"grad_w1": grad_w1', '"grad_w1": grad_w1.T', {"grad_w1": "shape"}),
    (
        "three_layer_relu_bias",
        "grad_b2 = grad_h2.sum(axis=0)",
        "grad_b2 = grad_h2",
        {"grad_b2": "shape"},
    ),
    (
        "three_layer_relu_bias",
        "grad_h2.sum(axis=0)",
        "grad_h2.sum(axis=0)[:, None]",
        {"grad_b2": "shape"},
    ),
    ("three_layer_relu_bias", "grad_y_pred.sum(axis=0)", "grad_y_pred.sum()", {"grad_b3": "shape"}),
]


def find(case):
    """Explain another shape than the right one."""
    name, actual = case.name, case.steps.actual[case.name]
    if actual.shape == case.expected.shape:
        return None
    has = f"`{name}` has shape {actual.shape} where {case.expected.shape} is meant"
    return Cause(KIND, reading(case, has) or f"{has}.")


def reading(case, has):
    """Return the sentence on what was done instead, or None where the shape does not tell."""
    actual, expected, n = case.actual, case.expected, case.rows
    if actual.ndim == 2 and case.is_right(actual.T):
        return f"`{case.name}` is transposed: it has shape {actual.shape}, not {expected.shape}."
    if actual.shape[:1] == (n,) and n > 1 and case.is_right(actual.sum(axis=0)):
        return f"{has}: the sum over the rows is missing, `.sum(axis=0)`."
    if actual.size == expected.size and case.is_right(actual.reshape(expected.shape)):
        return f"{has}; the numbers are right: reshape it."
    if actual.size == 1 and abs(actual.sum() - expected.sum()) <= sum_of(case, case.tolerance):
        return f"{has}: it is summed over all axes."
    is_square = expected.shape in ((n, 1), (n,)) and actual.shape == (n, n) and n > 1
    if is_square and case.is_right(np.diag(actual).reshape(expected.shape)):
        return (
            f"{has}: an array of shape ({n},) met one of shape ({n}, 1), and NumPy broadcast "
            "them against each other; give both the same shape."
        )
    return None


def sum_of(case, tolerance):
    """Return how far the sum of the right array may be off."""
    return float(np.broadcast_to(tolerance, case.expected.shape).sum())
