"""Entries that are nan or inf where they should not be."""

import numpy as np

from handgrad.explain.wording import place
from handgrad.findings import Cause

KIND = "nonfinite"
LOOKS_LIKE = "nan or inf where the right numbers are finite"
EXAMPLES = [
    (
        "three_layer_relu",
        '"grad_h1": grad_h1',
        '"grad_h1": np.where(grad_h1 == grad_h1.max(), np.nan, grad_h1)',
        {"grad_h1": "nonfinite"},
    ),
]


def find(case):
    """Explain entries that are nan or inf where the right ones are finite."""
    bad = ~np.isfinite(case.actual) & np.isfinite(case.expected)
    if not bad.any():
        return None
    first = case.actual[bad][0]
    if bad.size == 1:
        return Cause(KIND, f"`{case.name}` is {first} where {case.expected[bad][0]:.6g} is meant.")
    return Cause(
        KIND, f"`{case.name}` holds {first} {place(bad)}, where the right numbers are finite."
    )
