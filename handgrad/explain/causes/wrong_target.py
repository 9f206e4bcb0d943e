"""A loss's gradient, output minus target, with the target wrong or the output."""

from typing import NamedTuple

import numpy as np

from handgrad.explain.activation import sigmoid
from handgrad.findings import Cause

KIND = "wrong-target"
LOOKS_LIKE = "of a loss's gradient, p - y: y left out, added, at a neighbour, or p's slope in it"
EXAMPLES = [
    (
        "softmax_cross_entropy",
        "softmax(scores) - (k == y[:, np.newaxis])",
        "softmax(scores)",
        {"grad_scores": "wrong-target"},
    ),
    (
        "softmax_cross_entropy",
        "softmax(scores) - (k == y[:, np.newaxis])",
        "softmax(scores) + (k == y[:, np.newaxis])",
        {"grad_scores": "wrong-target"},
    ),
    ("two_layer_relu", "2.0 * (y_pred - y)", "2.0 * y_pred", {"grad_y_pred": "wrong-target"}),
]


class Target(NamedTuple):
    """The right gradient as `count * (output - target)`, and what the output is called.

    `axis` is that of the softmax, None where there is none.
    """

    output: np.ndarray
    target: np.ndarray
    times: float
    said: str
    axis: int | None = None


def find(case):
    """Explain the gradient of what a loss compares with a target."""
    if not case.is_gradient or (value := case.given(case.quantity)) is None:
        return None
    value = np.asarray(value, np.float64)
    if value.shape != case.expected.shape or not value.size:
        return None
    for right in targets(case, value):
        for array, sentence in variants(value, right):
            if case.fits(array):
                return Cause(KIND, f"`{case.name}` {sentence}.")
    return None


def targets(case, value):
    """Yield the Targets that give the right gradient, which its numbers show."""
    for axis in range(value.ndim if value.ndim > 1 else 0):
        p = softmax(value, axis)
        counts = (case.expected / p).max(axis=axis)  # where the target is 0
        count = float(np.median(counts))
        onehot = np.rint(p - case.expected / count) if count > 0 else np.zeros_like(p)
        is_one = np.array_equal(np.sort(onehot, axis=axis), sorted_labels(onehot, axis))
        if is_one and case.is_right(count * (p - onehot)):
            yield Target(p, onehot, count, f"the softmax of `{case.quantity}`", axis)
    y = np.asarray(case.y, np.float64)
    y = y.reshape(value.shape) if y.size == value.size else y
    if y.shape != value.shape or not y.any():
        return
    for output, said in ((value, f"`{case.quantity}`"), (sigmoid(value), "the sigmoid")):
        apart = output - y
        square = float((apart**2).sum())
        count = float((case.expected * apart).sum()) / square if square else 0.0
        if count and case.is_right(count * apart):
            yield Target(output, y, count, said)


def sorted_labels(onehot, axis):
    """Return what labels are when each row is sorted: a single 1, the last."""
    labels = np.zeros_like(onehot)
    np.moveaxis(labels, axis, -1)[..., -1] = 1
    return labels


def variants(value, right):
    """Yield what people write in place of a loss's gradient, and what is said of it."""
    p, y, count, said, axis = right
    is_label = axis is not None
    what = "1 of the label" if is_label else "target"
    yield count * p, f"is {said} alone: the {what} is not subtracted from it"
    yield count * (p + y), f"has the {what} added to {said}, where it is subtracted"
    yield -count * y, f"is the {what} alone, without {said}"
    yield from unevenly_scaled(right, what)
    slope = p * (1 - p)
    if is_label or said == "the sigmoid":
        yield (
            count * (p - y) * slope,
            f"is multiplied by {said}'s own slope, p * (1 - p), which `p - y` has in it already",
        )
        with np.errstate(all="ignore"):
            yield -count * y / p, f"is -y / p, the gradient by {said}, not by what goes into it"
            yield (
                count * (p - y) / slope,
                f"is the gradient by {said}, (p - y) / (p * (1 - p)), not by what goes into it",
            )
    if is_label:
        yield from with_labels(value, right)


def unevenly_scaled(right, what):
    """Yield gradients in which a count, as 1/n, multiplies the output or the target alone."""
    p, y, count, said, _ = right
    if abs(count - 1) > 1e-9:
        yield count * p - y, f"has the factor {count:.6g} with {said} only, not with the {what}"
        yield p - count * y, f"has the factor {count:.6g} with the {what} only, not with {said}"


def with_labels(value, right):
    """Yield the same for labels: at another place, or with a softmax over another axis."""
    p, y, count, said, axis = right
    for step, where in ((1, "after"), (-1, "before")):
        moved = np.roll(y, step, axis)
        yield count * (p - moved), f"has the label's 1 in the column {where} the label's"
    yield count * (p - 1), f"has 1 subtracted from all of {said}, not from the label's entry alone"
    if y.ndim == 2:
        columns = np.broadcast_to(y.any(axis=1 - axis, keepdims=True), y.shape)
        yield (
            count * (p - columns),
            "has 1 subtracted in every row of the labels' columns, as `[:, y]` does; each row has "
            "one label, `[np.arange(n), y]`",
        )
    for other in range(value.ndim):
        if other != axis:
            yield (
                count * (softmax(value, other) - y),
                f"has the softmax over axis {other}, where axis {axis} is meant",
            )
    whole = np.exp(value - value.max())
    yield count * (whole / whole.sum() - y), f"has the softmax over all, where axis {axis} is meant"
    yield count * (np.exp(value) - y), "has exp, which is not divided by its sum, for the softmax"
    yield count * (value - y), f"has the scores themselves, where {said} is meant"


def softmax(value, axis):
    """Return the softmax over an axis."""
    e = np.exp(value - value.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)
