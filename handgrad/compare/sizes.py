"""How large the entries of an array are."""

import numpy as np

SQUARED = 1e-100  # numbers from there to 1 / SQUARED can be squared, and added up


def pooled(move):
    """Return for each entry of a product or a sum how far entries like it have moved.

    The rounding of a sum is a matter of chance, and one entry in a hundred hardly moves: but the
    entries of one row have terms of the same rows, and those of one column likewise.
    """
    if move.ndim < 2:
        return move
    if not (largest := move.max(initial=0.0)):
        return move
    table = np.square(move.reshape(-1, move.shape[-1]) / largest)
    rows = table.mean(axis=1, keepdims=True)
    np.divide(table, rows, out=table, where=rows > 0)
    return largest * np.sqrt(rows * table.mean(axis=0)).reshape(move.shape)


def finite(array):
    """Return the sizes of an array's entries, 0 where they are not finite."""
    size = np.asarray(np.abs(array), np.float64)
    if not np.isfinite(size.sum()):
        size[~np.isfinite(size)] = 0
    return size


def typical(array, largest):
    """Return the typical size of the entries of each row, or of all where that is more.

    It is the root of their mean square; `largest` is the largest finite one. No entry is held to
    more than the last bit of a typical one: x (1 + erf(x)), near 0 where x is far below it, is off
    by the last bit of 1 and not by its own, and no draw shows that.
    """
    if not array.ndim or not array.size or not largest:
        return np.asarray(largest if array.size else 0.0)
    if not SQUARED <= largest <= 1 / SQUARED:  # nor are the squares of what is not finite
        array, unit = finite(array) / largest, largest
    else:
        unit = 1.0
    squares = np.einsum("...i,...i->...", array, array, dtype=np.float64)[..., None]
    if not np.isfinite(squares).all():
        return typical(finite(array), largest)
    squares /= array.shape[-1]
    return unit * np.sqrt(np.maximum(squares, squares.mean()))


def max_finite(array):
    """Return the largest finite magnitude in an array, 0 where there is none."""
    magnitudes = np.abs(np.atleast_1d(array))
    if not np.isfinite(total := magnitudes.max(initial=0.0)):
        total = magnitudes[np.isfinite(magnitudes)].max(initial=0.0)
    return float(total)


def max_of(array):
    """Return the largest entry of an array that may be empty."""
    return float(np.max(array, initial=0.0))
