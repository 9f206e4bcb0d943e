"""A gradient that was clipped."""

import numpy as np

from handgrad.findings import Cause

KIND = "clipped"
LOOKS_LIKE = "cut off at a number, as clipping against exploding gradients does"
EXAMPLES = [
    (
        "two_layer_relu",
        '"grad_w1": grad_w1',
        '"grad_w1": np.clip(grad_w1, -0.5, 0.5)',
        {"grad_w1": "clipped"},
    ),
]


def find(case):
    """Explain an array that is right but for what lies beyond its largest and smallest numbers."""
    low, high = case.actual.min(initial=np.inf), case.actual.max(initial=-np.inf)
    at_end = (case.actual == low) | (case.actual == high)
    off = case.apart > case.tolerance
    is_both = low < 0 < high and (off & at_end).sum() > 1
    if not is_both or (off & ~at_end).any() or not case.fits(np.clip(case.expected, low, high)):
        return None
    sides = [c for c in (low, high) if (off & (case.actual == c)).any()]
    ends = " and ".join(f"{side:.6g}" for side in sides)
    return Cause(
        KIND,
        f"`{case.name}` is what is meant, clipped at {ends} ({off.sum()} of {off.size} entries): "
        "clip after the check, or where the weights are updated.",
    )
