"""A product or a sum of two quantities, one of which is another than is meant."""

import numpy as np

from handgrad.explain.thresholds import ENTRIES_FOR_A_FIT
from handgrad.findings import Cause

KIND = "other-quantity"
LOOKS_LIKE = "with another factor or term"
EXAMPLES = [
    (
        "residual",
        "total = h1_relu + h2",
        "total = h1_relu + h1",
        {"total": "other-quantity"},
    ),
]

LOOKED_AT = 8  # entries, those that are furthest off: a pair that gives these is tried on all
MOST = 400  # arrays
CLOSE = 1e-7

OPERATIONS = {"*": np.multiply, "+": np.add}


def find(case):
    """Explain a product or a sum of which one part is another one than is meant."""
    arrays = {n: a for n, a in case.others.items() if a.shape == case.actual.shape}
    if case.actual.size < ENTRIES_FOR_A_FIT or not 2 <= len(arrays) <= MOST:
        return None
    at = np.argsort(case.apart, axis=None)[-LOOKED_AT:]
    names, few = list(arrays), np.stack([a.reshape(-1)[at] for a in arrays.values()])
    for sign, operation in OPERATIONS.items():
        meant = pairs(case.expected.reshape(-1)[at], few, operation)
        right = {
            (names[i], names[j]): None
            for i, j in meant
            if case.is_right(operation(arrays[names[i]], arrays[names[j]]))
        }
        if not right:
            continue
        for i, j in pairs(case.actual.reshape(-1)[at], few, operation):
            if not case.fits(operation(arrays[names[i]], arrays[names[j]])):
                continue
            for one, other in right:
                if names[i] == one:
                    return Cause(
                        KIND,
                        f"`{case.name}` is `{one}` {sign} `{names[j]}`, where `{one}` {sign} "
                        f"`{other}` is meant.",
                    )
    return None


def pairs(wanted, few, operation):
    """Return the pairs of arrays, by number, that give what is wanted in a few entries."""
    with np.errstate(all="ignore"):
        results = operation(few[:, None], few[None])
        near = np.abs(results - wanted) <= CLOSE * np.abs(wanted)
    return [(int(i), int(j)) for i, j in zip(*near.all(axis=2).nonzero(), strict=True)]
