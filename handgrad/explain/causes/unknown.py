"""None of the others: where the difference sits."""

import numpy as np

from handgrad.compare.second_look import differing
from handgrad.explain.wording import entry, place, two
from handgrad.findings import Cause

KIND = "unknown"
LOOKS_LIKE = "none of these; the report says where the difference sits"
EXAMPLES = [
    (
        "two_layer_relu",
        "h_relu = np.maximum(h, 0)",
        "h_relu = np.minimum(h, 0)",
        {"h_relu": "unknown"},
    ),
    (
        "two_layer_relu",
        "np.square(y_pred - y).sum()",
        "np.square(y_pred - y[:, 0]).sum()",
        {"loss": "unknown"},
    ),
    (
        "three_layer_relu_bias",
        "h2_relu.dot(w3) + b3",
        "2 * h2_relu.dot(w3) + b3",
        {"y_pred": "unknown"},
    ),
    (
        "three_layer_sigmoid_bias",
        "h2_sigm = sigmoid(h2)",
        "h2_sigm = np.tanh(h2)",
        {"h2_sigm": "unknown"},
    ),
    (
        "three_layer_sigmoid_bias",
        "h1_sigm = sigmoid(h1)",
        "h1_sigm = sigmoid(-h1)",
        {"h1_sigm": "unknown"},
    ),
    (
        "softmax_cross_entropy",
        "(log_sum_exp(scores) - scores[np.arange(len(y)), y]).sum()",
        "log_sum_exp(scores).sum()",
        {"loss": "unknown"},
    ),
]


def find(case):
    """Say where a difference sits that nothing explains."""
    off = differing(case.steps, case.name) & ~same(case)
    infinite = off & ~np.isfinite(case.apart)  # of one side only, so these are furthest off
    apart = np.where(infinite, np.inf, np.where(off, case.apart, -1))
    worst = np.unravel_index(np.argmax(apart), off.shape)
    actual, expected = two(case.actual[worst], case.expected[worst])
    if off.size == 1:
        return Cause(KIND, f"`{case.name}` is {actual} where {expected} is meant.")
    return Cause(
        KIND,
        f"`{case.name}` differs {place(off)}, most at {entry(worst)}: {actual} where {expected} "
        f"is meant.{known(case)}",
    )


def known(case):
    """Say what is known of an array all the same: what it is equal to, or a multiple of by rows."""
    if not case.is_telling:
        return ""
    equal = [n for n, array in case.others.items() if array.any() and case.fits(array)]
    if equal:
        return f" It equals {' and '.join(f'`{name}`' for name in equal)}."
    if case.actual.shape != case.expected.shape or case.actual.ndim != 2:
        return ""
    for axis, what in ((1, "row"), (0, "column")):
        square = (case.expected**2).sum(axis=axis, keepdims=True)
        along = (case.actual * case.expected).sum(axis=axis, keepdims=True)
        times = along / np.where(square == 0, 1, square)
        if case.expected.shape[axis] > 1 and case.fits(case.expected * times):
            return f" Each {what} is a multiple of what is meant, but not each the same."
    return ""


def same(case):
    """Return which entries are nan on both sides, or the same inf."""
    is_nan = np.isnan(case.actual) & np.isnan(case.expected)
    return is_nan | (case.actual == case.expected)
