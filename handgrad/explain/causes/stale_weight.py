"""A step that was computed with a weight from after its update, or from before it."""

import numpy as np

from handgrad.explain.thresholds import ENTRIES_FOR_A_FIT, TELLING
from handgrad.findings import Cause

KIND = "stale-weight"
LOOKS_LIKE = "computed with a weight from after its update, or from before it"
EXAMPLES = [
    (
        "two_layer_relu",
        "grad_y_pred.dot(w2.T)",
        "grad_y_pred.dot((w2 - 1e-3 * grad_w2).T)",
        {"grad_h_relu": "stale-weight"},
    ),
    (
        "three_layer_relu_bias",
        "grad_h2.dot(w2.T)",
        "grad_h2.dot((w2 - 1e-4 * grad_w2).T)",
        {"grad_h1_relu": "stale-weight"},
    ),
]


def find(case):
    """Explain a step that is right with a weight moved along its gradient."""
    for name in case.inputs():
        if not case.is_parameter(name):
            continue
        rate = learning_rate(case, name)
        if rate is not None:
            when = "after" if rate > 0 else "before"
            return Cause(
                KIND,
                f"`{case.name}` is computed with `{name}` as it was {when} its update (learning "
                f"rate {abs(rate):.3g}): compute all gradients first, then update.",
            )
    return None


def learning_rate(case, name):
    """Return the rate of the update of a weight that explains a quantity, or None."""
    weight, gradient = case.given(name), case.given(f"grad_{name}")
    if gradient.shape != weight.shape or not np.isfinite(gradient).all():
        return None
    direction = case.recompute({name: weight - gradient}).astype(np.float64) - case.expected
    length = float((direction**2).sum())
    if not length:
        return None
    rate = float(((case.actual - case.expected) * direction).sum()) / length
    moved = np.abs(rate * direction) > TELLING * case.tolerance
    if moved.sum() < ENTRIES_FOR_A_FIT:
        return None
    return rate if case.fits(case.expected + rate * direction) else None
