"""An array of zeros."""

from handgrad.explain.thresholds import ENTRIES_FOR_ZEROS
from handgrad.findings import Cause

KIND = "factor"
LOOKS_LIKE = "or 0 everywhere"
EXAMPLES = [
    (
        "three_layer_relu",
        "grad_y_pred.dot(w3.T)",
        "grad_y_pred.dot(w3.T) * 0",
        {"grad_h2_relu": "factor"},
    ),
    ("residual", "grad_h2 = grad_total", "grad_h2 = grad_total * 0", {"grad_h2": "factor"}),
]


def find(case):
    """Explain an array of zeros."""
    if case.actual.any() or case.actual.size < ENTRIES_FOR_ZEROS:
        return None
    return Cause(KIND, f"`{case.name}` is 0 everywhere, as if nothing flowed into it.")
