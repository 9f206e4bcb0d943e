"""A gradient that comes back through a softmax, without what the entries of a row share."""

import numpy as np

from handgrad.explain.causes.wrong_target import softmax
from handgrad.explain.ratio import multiple_of
from handgrad.findings import Cause

KIND = "softmax"
LOOKS_LIKE = "through a softmax without its row sum, over another axis, or entry by entry"
EXAMPLES: list[tuple[str, str, str, dict[str, str]]] = []  # no network of the gallery has one


def find(case):
    """Explain a gradient that comes back through a softmax."""
    for user, g in case.activations():
        p = np.asarray(case.given(user), np.float64)
        for axis in range(p.ndim):
            right = p * (g - (p * g).sum(axis=axis, keepdims=True))
            count = multiple_of(right, case.expected)
            if not count or not case.is_right(count * right):
                continue
            for array, sentence in variants(case, user, p, g, axis):
                if case.fits(count * array):
                    return Cause(KIND, f"`{case.name}` {sentence}.")
    return None


def variants(case, user, p, g, axis):
    """Yield what people write for s * (g - sum(s * g)), and what is said of it."""
    row = f"`{user}` * `grad_{user}`"
    grad, meant = f"grad_{user}", f"where `{user}` is a softmax over axis {axis}"

    def shared(array, over=axis):
        return array.sum(axis=over, keepdims=True)

    yield p * g, f"is {row}, {meant}: the sum over its rows is not subtracted"
    yield g - shared(p * g), f"is not multiplied by `{user}`: only the sum is subtracted"
    yield (
        p * (1 - p) * g,
        f"is `{user}` * (1 - `{user}`) * `{grad}`, as of a sigmoid, {meant}: an entry acts on all "
        "of its row",
    )
    yield (
        p * (g + shared(p * g)),
        f"has the sum of `{user}` * `{grad}` added, where it is subtracted",
    )
    yield (
        p * (g - shared(g)),
        f"has the sum of `{grad}` subtracted, not that of `{user}` * `{grad}`",
    )
    yield (
        p * (g - (p * g).mean(axis=axis, keepdims=True)),
        f"has the mean of {row} subtracted, where its sum is meant",
    )
    yield p * g - shared(p * g), f"has the sum subtracted without the factor `{user}`"
    for other in range(p.ndim):
        if other != axis:
            sentence = f"has the sum over axis {other}, {meant}"
            yield p * (g - shared(p * g, other)), sentence
    yield p * (g - (p * g).sum()), f"has the sum over all entries, {meant}"
    value = np.asarray(case.given(case.quantity), np.float64)
    if value.shape == p.shape:
        for other in range(p.ndim):
            s = softmax(value, other)
            sentence = f"is computed with the softmax over axis {other}, {meant}"
            yield s * (g - shared(s * g, other)), sentence
