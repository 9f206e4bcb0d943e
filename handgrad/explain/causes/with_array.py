"""What is meant, but for an array that is added, left out, multiplied or divided by."""

import numpy as np

from handgrad.explain.ratio import multiple_of
from handgrad.explain.thresholds import ENTRIES_FOR_A_FIT, TELLING
from handgrad.findings import Cause

KIND = "term"
LOOKS_LIKE = "a term or a factor left out, or one too many"
EXAMPLES = [
    ("three_layer_relu_bias", "h1_relu.dot(w2) + b2", "h1_relu.dot(w2) - b2", {"h2": "term"}),
    (
        "three_layer_relu_bias",
        '"grad_h2": grad_h2,',
        '"grad_h2": grad_h2 * values["h1"],',
        {"grad_h2": "term"},
    ),
]

EXACT = 1e-9  # a number this near 1 is 1


def find(case):
    """Explain an array that is the right one with another one in it, or without it."""
    if case.actual.size < ENTRIES_FOR_A_FIT:
        return None
    if sentence := term(case) or factor(case):
        return Cause(KIND, f"`{case.name}` {sentence}.")
    return None


def term(case):
    """Say which array was added or left out, or None."""
    apart = case.actual - case.expected
    for name, array in case.others.items():
        whole = np.broadcast_to(array, apart.shape)
        count = multiple_of(whole, apart)
        large = np.abs(count * whole) > TELLING * case.tolerance
        if large.sum() < ENTRIES_FOR_A_FIT or not case.fits(case.expected + count * whole):
            continue
        times = "" if abs(abs(count) - 1) < EXACT else f"{abs(count):.6g} * "
        text = f"is what is meant {'plus' if count > 0 else 'minus'} {times}`{name}`"
        if abs(count + 2) < EXACT:
            return f"{text}, as if that was subtracted where it is added"
        return text + ", as if that term was left out" * (abs(count + 1) < EXACT)
    return None


def factor(case):
    """Say which array was multiplied by, or left out as a factor, or None."""
    for name, array in case.others.items():
        if np.ptp(array) == 0:
            continue
        too_much = case.expected * array
        count = multiple_of(too_much, case.actual)
        if count and case.fits(count * too_much):
            return f"is what is meant times {written(count)}`{name}`: a factor too many"
        less = case.actual * array
        count = multiple_of(less, case.expected)
        if count and case.is_right(count * less):
            return (
                f"has to be multiplied by {written(count)}`{name}`: that factor is left out"
                + ", a mask" * bool(np.isin(array, (0, array.max())).all())
            )
    return None


def written(count):
    """Write a number in front of an array's name, nothing for 1."""
    return "" if abs(count - 1) < EXACT else f"{count:.6g} * "
