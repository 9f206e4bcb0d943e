"""Mistakes that scale or flip the right array: sign, factor, mean or sum, transposition."""

import numpy as np

from handgrad.compare.judge import Cause


def sign(case):
    """Explain an array that is the negative of the right one."""
    if not case.fits(-case.theirs):
        return None
    return Cause("sign", f"`{case.name}` has the wrong sign: it is the negative of what is meant.")


def mean_sum(case):
    """Explain a sum that was averaged, or a mean that was summed: of the loss, of a bias."""
    if case.name != "loss" and not (case.is_gradient and case.theirs.ndim == 1):
        return None
    ratio = ratio_of(case)
    found = meanings(case, ratio)
    if len(found) != 1 or not found[0][1]:
        return None
    what, over = found[0]
    wrong, right = ("mean", "sum") if what.startswith("1/") else ("sum", "mean")
    return Cause(
        "mean-sum",
        f"`{case.name}` is the {wrong} over {over}, where the {right} is meant: it is {what} of it."
        if wrong == "mean"
        else f"`{case.name}` is the sum over {over}, where the mean is meant: {what} times it.",
    )


def factor(case):
    """Explain a constant factor, with its meaning where it has one."""
    ratio = ratio_of(case)
    found = meanings(case, ratio)
    if found:
        reading = " or ".join(what + (f" ({over})" if over else "") for what, over in found)
        return Cause("factor", f"`{case.name}` is {reading} times what is meant.")
    if ratio is None or case.ours.size < 3:  # a few numbers may well have a ratio by chance
        return None
    return Cause("factor", f"`{case.name}` is {ratio:.10g} times what is meant, in each entry.")


def zero(case):
    """Explain an array of zeros."""
    if case.ours.any() or case.ours.size < 2:
        return None
    return Cause("factor", f"`{case.name}` is 0 everywhere, as if nothing flowed into it.")


def transposed(case):
    """Explain a square array that is transposed, or was computed from one that is."""
    if case.ours.ndim == 2 and case.fits(case.theirs.T):
        return Cause("transposed", f"`{case.name}` is transposed: it is square, so nothing broke.")
    for name in case.inputs():
        array = case.given(name)
        square = array.ndim == 2 and array.shape[0] == array.shape[1] > 1
        if square and case.fits(case.recompute({name: array.T})):
            return Cause(
                "transposed",
                f"`{case.name}` is computed with `{name}` the other way round: a `.T` is missing "
                "or too many (it is square, so nothing broke).",
            )
    return None


def ratio_of(case):
    """Return the number that the right array was multiplied by, or None if there is no such."""
    square = float((case.theirs**2).sum())
    if not square or case.ours.shape != case.theirs.shape:
        return None
    ratio = float((case.ours * case.theirs).sum()) / square
    return ratio if ratio and case.fits(ratio * case.theirs) else None


def meanings(case, ratio):
    """Return the simple factors that a ratio may be, each with what it counts."""
    if ratio is None:
        return []
    n, columns = case.rows, case.steps.y.shape[1] if case.steps.y.ndim > 1 else 1
    counts = [(2, "2", ""), (n, "n", "the rows")]
    if columns > 1:
        counts += [(columns, "d_out", "the columns"), (n * columns, "n x d_out", "all entries")]
    named = [(count, text, over) for count, text, over in counts if count > 1]
    named += [(1 / count, f"1/{text}", over) for count, text, over in named]
    close = case.allowed / float(np.abs(case.ours).max())
    return [(text, over) for value, text, over in named if abs(ratio / value - 1) <= close]
