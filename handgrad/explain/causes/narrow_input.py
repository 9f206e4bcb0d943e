"""A quantity that was computed from an input in a narrower dtype."""

import numpy as np

from handgrad.explain.thresholds import WHOLE_NUMBERS
from handgrad.findings import Cause

KIND = "precision"
LOOKS_LIKE = "or computed from what is"
EXAMPLES = [
    ("two_layer_relu", "h = x.dot(w1)", "h = x.astype(np.float32).dot(w1)", {"h": "precision"}),
    ("two_layer_relu", "h = x.dot(w1)", "h = x.astype(int).dot(w1)", {"h": "precision"}),
]


def find(case):
    """Explain a quantity that is right from a rounded input."""
    if case.steps.precision.numpy != np.float64:
        return None
    kinds = (np.float32,) if case.is_off_by(np.float32) else (np.int64,)
    slopes = [user for user, _ in case.activations()]
    for name in case.inputs():
        if slopes and name in (case.quantity, *slopes):  # a slope may change by jumps
            continue
        for narrow in kinds:
            rounded = narrowed(case.given(name), narrow)
            if rounded is not None and case.fits(case.recompute({name: rounded})):
                return Cause(
                    KIND, f"`{case.name}` is computed from `{name}` rounded to {narrow.__name__}."
                )
    return None


def narrowed(array, narrow):
    """Return an array as it is after a narrower dtype, None where that says nothing."""
    with np.errstate(invalid="ignore"):
        rounded = array.astype(narrow).astype(np.float64)
    if np.array_equal(rounded, array) or not np.isfinite(rounded).all():
        return None
    if narrow is np.int64 and len(np.unique(rounded)) < WHOLE_NUMBERS:
        return None
    return rounded
