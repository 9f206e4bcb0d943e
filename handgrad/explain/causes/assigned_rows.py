"""Rows that occur several times, of which what comes back was assigned, not added up."""

import numpy as np

from handgrad.findings import Cause

KIND = "not-accumulated"
LOOKS_LIKE = "with indices that repeat, assigned where they should add up"
EXAMPLES: list[tuple[str, str, str, dict[str, str]]] = []  # no network of the gallery looks up


def find(case):
    """Explain the gradient of a table of which rows are looked up, some of them several times."""
    if not case.is_gradient or case.actual.ndim < 1:
        return None
    off = (case.apart > case.tolerance).reshape(len(case.actual), -1).any(axis=1)
    reached = case.expected.reshape(len(case.actual), -1).any(axis=1)
    for name, index in indices(case):
        counts = np.bincount(index.reshape(-1) % len(off), minlength=len(off))
        often = counts > 1
        if not np.array_equal(counts > 0, reached) or not often.any() or off[~often].any():
            continue
        if sentence := as_assigned(case, name, index) or (as_observed(name, off, often, counts)):
            return Cause(KIND, f"`{case.name}` {sentence}: add up, with `np.add.at`.")
    return None


def indices(case):
    """Yield the arrays of whole numbers that may be indices of this gradient's rows."""
    for name, array in (*case.data.items(), ("y", case.y)):
        array = np.asarray(array)
        if array.dtype.kind in "iu" and array.size and abs(array).max() < len(case.actual):
            yield name, array


def as_assigned(case, name, index):
    """Say whether the last or the first of several was kept, by the gradient that comes in."""
    for user in case.steps.users(case.quantity):
        came = None if user == "loss" else case.given(f"grad_{user}")
        if came is None or came.shape != index.shape + case.actual.shape[1:]:
            continue
        for what, order in (("last", slice(None)), ("first", slice(None, None, -1))):
            rows = np.zeros_like(case.actual)
            flat = came.reshape(-1, *case.actual.shape[1:])
            rows[index.reshape(-1)[order]] = flat[order]
            if case.fits(rows):
                return f"keeps the {what} of what comes back to a row that `{name}` has repeatedly"
    return None


def as_observed(name, off, often, counts):
    """Say that just the rows that occur several times are off, where that is telling."""
    if not (counts == 1).any() or not off[often].all() or (counts > 0).sum() <= 2:
        return None
    return (
        f"is wrong in just the {often.sum()} rows that `{name}` has several times, as if what "
        "comes back to them was assigned"
    )
