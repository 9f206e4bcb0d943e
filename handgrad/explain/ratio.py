"""A constant times what is meant: which constant, and what it may count."""

import numpy as np


def ratio_of(case):
    """Return the number that the right array was multiplied by, or None if there is no such."""
    square = float((case.expected**2).sum())
    if not square or case.actual.shape != case.expected.shape:
        return None
    ratio = float((case.actual * case.expected).sum()) / square
    return ratio if ratio and case.fits(ratio * case.expected) else None


def meanings(case, ratio):
    """Return the simple factors that a ratio may be, each with what it counts."""
    if ratio is None:
        return []
    n, columns = case.rows, case.y.shape[1] if case.y.ndim > 1 else 1
    counts = [(2, "2", ""), (n, "n", "the rows")]
    if columns > 1:
        counts += [(columns, "d_out", "the columns"), (n * columns, "n x d_out", "all entries")]
    named = [(count, text, over) for count, text, over in counts if count > 1]
    named += [(1 / count, f"1/{text}", over) for count, text, over in named]
    close = case.tolerance / float(np.abs(case.actual).max())
    return [(text, over) for value, text, over in named if abs(ratio / value - 1) <= close]
