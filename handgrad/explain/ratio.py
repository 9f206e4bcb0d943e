"""A constant times what is meant: which constant, and what it may count."""

import numpy as np


def ratio_of(case):
    """Return the number that the right array was multiplied by, or None if there is no such."""
    square = float((case.expected**2).sum())
    if not square or case.actual.shape != case.expected.shape:
        return None
    ratio = float((case.actual * case.expected).sum()) / square
    return ratio if ratio and case.fits(ratio * case.expected) else None


def multiple_of(array, result):
    """Return the number that makes an array come as near as can be to another one of its shape."""
    square = float((array**2).sum())
    return float((array * result).sum()) / square if square and np.isfinite(square) else 0.0


def meanings(case, ratio):
    """Return the simple factors that a ratio may be: the text of each, and what it counts.

    Several are the same number, as n and d_out are where y is square.
    """
    if ratio is None:
        return []
    found = []
    for count, text, over in counts(case):
        for value, written in ((count, text), (1 / count, f"1/{text}")):
            if count > 1 and abs(ratio / value - 1) < 0.5 and case.fits(value * case.expected):
                found.append((written, over))
    return found


def counts(case):
    """Return the numbers that people divide or multiply by: each with its name, and of what."""
    result = [(2, "2", ""), (case.rows, "n", "the rows")]
    if case.y.ndim > 1 and (columns := case.y.shape[1]) > 1:
        result += [(columns, "d_out", "the columns")]
        result += [(case.rows * columns, "n x d_out", "all entries")] * (case.rows > 1)
    return result
