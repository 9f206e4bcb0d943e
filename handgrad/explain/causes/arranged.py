"""The right numbers in another order: axes permuted, turned round, shifted or run together."""

from itertools import combinations, permutations

import numpy as np

from handgrad.explain.thresholds import ENTRIES_FOR_A_FIT
from handgrad.findings import Cause

KIND = "transposed"
LOOKS_LIKE = "axes permuted, turned round, shifted by one, or reshaped"
EXAMPLES = [
    (
        "three_layer_relu",
        "h1_relu.T.dot(grad_h2)",
        "h1_relu.T.dot(grad_h2)[:, ::-1]",
        {"grad_w2": "transposed"},
    ),
    (
        "two_layer_relu",
        "x.T.dot(grad_h)",
        "np.roll(x.T.dot(grad_h), 1, axis=0)",
        {"grad_w1": "transposed"},
    ),
    (
        "two_layer_relu",
        "x.T.dot(grad_h)",
        "grad_h.T.dot(x).reshape(x.shape[1], -1)",
        {"grad_w1": "transposed"},
    ),
]

MOST_AXES = 4


def find(case):
    """Explain an array that has the right numbers at other places."""
    right = case.expected
    if right.size < ENTRIES_FOR_A_FIT or right.ndim > MOST_AXES or not np.ptp(right):
        return None
    for array, sentence in arrangements(right):
        if case.fits(array):
            return Cause(KIND, f"`{case.name}` has the right numbers at other places: {sentence}.")
    return None


def arrangements(right):
    """Yield the right numbers in other orders, and what is said of each."""
    axes = range(right.ndim)
    for order in list(permutations(axes))[1:]:
        turned, what = right.transpose(order), f"its axes are in the order {order}"
        if turned.shape == right.shape:
            yield turned, what
        yield turned.reshape(right.shape), f"{what} where it is reshaped"
    yield right.reshape(-1, order="F").reshape(right.shape), "it is reshaped column by column"
    for count in range(1, right.ndim + 1):
        for some in combinations(axes, count):
            yield np.flip(right, some), f"it is turned round along {named(some)}"
    for axis in axes:
        for step in (1, -1):
            moved = np.roll(right, step, axis)
            where = f"it is shifted by {step} along {named([axis])}"
            yield moved, where
            edge = [slice(None)] * right.ndim
            edge[axis] = slice(0, 1) if step > 0 else slice(-1, None)
            emptied = moved.copy()
            emptied[tuple(edge)] = 0
            yield emptied, f"{where}, with 0 at the edge"


def named(axes):
    """Name some axes."""
    return f"{'axis' if len(axes) == 1 else 'axes'} {', '.join(map(str, axes))}"
