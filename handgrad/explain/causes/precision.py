"""A quantity that went through a narrower dtype than the others."""

import numpy as np

from handgrad.explain.thresholds import BEYOND_A_MASK, SPARE_BITS
from handgrad.findings import Cause

KIND = "precision"
LOOKS_LIKE = "computed in float32, cut to whole numbers"
EXAMPLES = [
    ("two_layer_relu", "h = x.dot(w1)", "h = x.dot(w1).astype(np.float32)", {"h": "precision"}),
    (
        "three_layer_relu_bias",
        "grad_h1_relu * (h1 > 0)",
        "grad_h1_relu.astype(np.float32) * (h1 > 0)",
        {"grad_h1": "precision"},
    ),
    (
        "three_layer_relu_bias",
        '"grad_w2": grad_w2',
        '"grad_w2": np.trunc(grad_w2)',
        {"grad_w2": "precision"},
    ),
    (
        "three_layer_relu_bias",
        '"grad_w2": grad_w2',
        '"grad_w2": grad_w2.astype(int)',
        {"grad_w2": "precision"},
    ),
]

NARROW = (np.float32, np.float16)


def find(case):
    """Explain a quantity of whole numbers, or one with the digits of a narrower dtype."""
    given, dtype = case.steps.actual[case.name].dtype, case.steps.precision.numpy
    if is_rounded(case):
        if given.kind in "iub":
            return Cause(
                KIND,
                f"`{case.name}` is an array of whole numbers ({given}): what comes after the "
                f"point is cut off; make it {dtype}.",
            )
        return Cause(KIND, f"`{case.name}` is rounded to whole numbers: make its array {dtype}.")
    for narrow in NARROW:
        if narrow != dtype and has_digits_of(case, narrow):
            return Cause(
                KIND,
                f"`{case.name}` has the precision of {narrow.__name__}, where the others have "
                f"that of {dtype}: look for a {narrow.__name__} array.",
            )
    return None


def is_rounded(case):
    """Say whether the right numbers were rounded to whole ones."""
    is_small = case.largest <= BEYOND_A_MASK
    is_float = case.steps.actual[case.name].dtype.kind == "f"
    if case.is_noisy(case.tolerance) or (is_small and is_float):
        return False
    return any(case.fits(rounding(case.expected)) for rounding in (np.trunc, np.rint, np.floor))


def has_digits_of(case, narrow):
    """Say whether a quantity is right to the digits of a narrower dtype, has those and no others.

    Whole numbers, halves and the like are the same in any dtype.
    """
    if not case.is_off_by(narrow):
        return False
    info = np.finfo(narrow)
    with np.errstate(over="ignore"):
        exact = np.array_equal(case.actual, case.actual.astype(narrow))
    digits = np.frexp(case.actual)[0] * 2.0 ** (info.nmant + 1 - SPARE_BITS)
    return exact and bool((digits % 1).any())
