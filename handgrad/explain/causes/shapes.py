"""Mistakes that show without arithmetic: shapes, entries that are not finite, narrow dtypes."""

import numpy as np

from handgrad.compare.judge import Cause
from handgrad.compare.steps import differing


def shape(case):
    """Explain another shape than the right one."""
    ours, theirs = case.steps.given[case.name], case.theirs
    if ours.shape == theirs.shape:
        return None
    name, found, meant = case.name, shape_text(ours), shape_text(theirs)
    has = f"`{name}` has shape {found} where {meant} is meant"
    ours = ours.astype(np.float64)
    if ours.ndim == 2 and same(case, ours.T):
        return Cause("shape", f"`{name}` is transposed: it has shape {found}, not {meant}.")
    if ours.shape[:1] == (case.rows,) and case.rows > 1 and same(case, ours.sum(axis=0)):
        return Cause("shape", f"{has}: the sum over the rows is missing, `.sum(axis=0)`.")
    if ours.size == theirs.size and same(case, ours.reshape(theirs.shape)):
        return Cause("shape", f"{has}; the numbers are right: reshape it.")
    n = case.rows
    if theirs.shape in ((n, 1), (n,)) and ours.shape == (n, n) and n > 1:
        return Cause(
            "shape",
            f"{has}: an array of shape ({n},) met one of shape ({n}, 1), and NumPy broadcast "
            "them against each other; give both the same shape.",
        )
    return Cause("shape", f"{has}.")


def same(case, array):
    """Say whether an array of the right shape is the right one, up to rounding."""
    theirs = case.theirs
    return array.shape == theirs.shape and bool((np.abs(array - theirs) <= case.allowed).all())


def nonfinite(case):
    """Explain entries that are nan or inf where they should not be."""
    bad = ~np.isfinite(case.ours) & np.isfinite(case.theirs)
    if not bad.any():
        return None
    first = case.ours[tuple(index[0] for index in bad.nonzero())] if bad.ndim else case.ours
    return Cause(
        "nonfinite",
        f"`{case.name}` holds {first} in {bad.sum()} of {bad.size} entries, {place(bad)}, where "
        "the right numbers are finite.",
    )


NARROW = (np.float32, np.float16)


def precision(case):
    """Explain a quantity that went through a narrower dtype than the others."""
    ours, dtype = case.steps.given[case.name], case.steps.precision.numpy
    if ours.dtype.kind in "iub":
        return Cause(
            "precision",
            f"`{case.name}` is an array of whole numbers ({ours.dtype}): what comes after the "
            f"point is cut off; make it {dtype}.",
        )
    for rounding in (np.trunc, np.rint, np.floor):
        if case.fits(rounding(case.theirs)) and np.abs(case.theirs).max(initial=0) > 1:
            return Cause(
                "precision", f"`{case.name}` is rounded to whole numbers: make its array {dtype}."
            )
    for narrow in NARROW:
        coarse = case.allowed * float(np.finfo(narrow).eps) / case.steps.precision.eps
        with np.errstate(over="ignore"):
            exact = np.array_equal(case.ours, case.ours.astype(narrow))
        if narrow != dtype and exact and np.abs(case.ours - case.theirs).max() <= coarse:
            return Cause(
                "precision",
                f"`{case.name}` has the precision of {narrow.__name__}, where the others have "
                f"that of {dtype}: look for a {narrow.__name__} array.",
            )
    return None


def elements(case):
    """Explain a few entries that are off."""
    off = differing(case.steps, case.name)
    if off.size < 4 or off.sum() > max(1, off.size // 10):
        return None
    index = tuple(int(axis[0]) for axis in off.nonzero())
    count = "one" if off.sum() == 1 else f"{off.sum()}"
    return Cause(
        "elements",
        f"Just {count} of the {off.size} entries of `{case.name}` differs, {place(off)}: "
        f"[{', '.join(map(str, index))}] is {case.ours[index]:.6g} where "
        f"{case.theirs[index]:.6g} is meant.",
    )


def unknown(case):
    """Say where a difference sits that nothing explains."""
    off = differing(case.steps, case.name)
    worst = np.unravel_index(np.argmax(np.abs(case.ours - case.theirs)), off.shape)
    at = f" at [{', '.join(str(int(i)) for i in worst)}]" if off.ndim else ""
    return Cause(
        "unknown",
        f"`{case.name}` differs {place(off)}, most{at}: {case.ours[worst]:.6g} where "
        f"{case.theirs[worst]:.6g} is meant.",
    )


def place(off):
    """Say in words in which rows and columns of a 2-d array the True entries lie."""
    if off.all():
        return "everywhere"
    if off.ndim != 2:
        return f"in {off.sum()} of {off.size} entries"
    rows, columns = off.any(axis=1).nonzero()[0], off.any(axis=0).nonzero()[0]
    words = [
        f"in {what}{'s' * (len(found) > 1)} {listed(found)}"
        for what, found, count in (
            ("row", rows, off.shape[0]),
            ("column", columns, off.shape[1]),
        )
        if len(found) < count
    ]
    return " and ".join(words) or f"in {off.sum()} of {off.size} entries"


def listed(numbers):
    """Write a few numbers, or the first of them and how many there are."""
    if len(numbers) <= 5:
        return ", ".join(map(str, numbers))
    return f"{', '.join(map(str, numbers[:3]))}, … ({len(numbers)} of them)"


def shape_text(array):
    """Write a shape, a single number's as `()`."""
    return str(tuple(array.shape))
