"""Multiples that some people carry on the way: the number of samples, or -1.

`dZ = A - Y` is m times the slope where the loss is a mean; the lines that compute the weights'
gradients, or move the weights, take it out again. That is a convention, and no mistake.
"""

from collections import Counter
from dataclasses import replace

import numpy as np

from handgrad.load.arrays import CLOSE, is_near
from handgrad.load.noted_passes import Scaled, root_of
from handgrad.run.hand_written import named_inputs


def sizes_of(draft, first):
    """Return the numbers of samples that there may be: the sides that inputs and targets share."""
    sides = [set(np.shape(array)[:2]) for array in named_inputs(draft.x).values()]
    of_y = set(np.shape(first.y)[:2]) - {1}
    shared = set().union(*sides) & of_y if of_y else set().union(*sides)
    return sorted(float(side) for side in shared if side > 1)


def times_of(value, right, counts):
    """Return how many times the right array this is: 1, a count, or minus that; else None."""
    square = float((right**2).sum())
    if right.shape != value.shape or not square:
        return None
    times = float((value * right).sum()) / square
    for scale in (1.0, -1.0, *counts, *(-count for count in counts)):
        if abs(times - scale) <= CLOSE * abs(scale) and is_near(value, scale * right):
            return scale
    return None


def scaled(grad, scale):
    """Return a gradient without the multiple that is carried in it."""
    if scale == 1:
        return grad
    return replace(grad, at=Scaled(grad.at, scale), value=grad.value / scale)


def without_multiples(pairs, slopes, counts, judge_for):
    """Return pairs of values and gradients without the multiples that are carried on the way.

    What is wrong has none to be seen: it has that of the gradient before it. `judge_for` takes such
    pairs, and returns a `judge`: where no less is wrong without the multiples, they are mistakes.
    """
    found, last, carried = {}, 1.0, False
    for at, grad in sorted(pairs.items(), key=lambda pair: place(pair[1])):
        times = times_of(grad.value, slopes[at], counts) if grad.value.size > 1 else None
        last = last if times is None else times
        found[at] = scaled(grad, last)
        carried = carried or last != 1
    if not carried or len(judge_for(found)({})) >= len(judge_for(pairs)({})):
        return pairs
    return {at: found[at] for at in pairs}


def where_fewer_are_wrong(found, wrong_with):
    """Return gradients of Results, with the multiples that they carry where fewer are wrong so.

    `wrong_with` takes such a dict, and returns the names of what is wrong then. A multiple that no
    later line takes out is no convention: what carries it first is wrong.
    """
    plain = {result: with_multiple(grad) for result, grad in found.items()}
    if all(plain[result] is grad for result, grad in found.items()):
        return found
    return found if len(wrong_with(found)) < len(wrong_with(plain)) else plain


def with_multiple(grad):
    """Return a gradient with the multiple that is carried in it: as the user has it."""
    if not isinstance(grad.at, Scaled):
        return grad
    return replace(grad, at=grad.at.at, value=grad.value * grad.at.scale)


def multiple_of(grads, slopes, counts):
    """Return how many times most gradients would have to be taken to be the slopes, a count or 1.

    `slopes` are those of a loss that is only known but for such a multiple.
    """
    found = Counter(
        count
        for name, grad in grads.items()
        for count in counts
        if f"grad_{name}" in slopes and is_near(grad.value * count, slopes[f"grad_{name}"])
    )
    (best, times), *_ = [*found.most_common(1), (1.0, 0)]
    return best if 2 * times > len(grads) else 1.0


def place(grad):
    """Return where in the backward pass a gradient comes: what is returned comes last."""
    at = root_of(grad.at)
    return at if isinstance(at, int) else float("inf")


def at_of(grad):
    """Return where a gradient is, also one without the multiple that it carries."""
    return grad.at.at if isinstance(grad.at, Scaled) else grad.at


def notes_on_multiples(found):
    """Say which gradients carry a multiple of the loss's slope, that others take out again."""
    carried: dict[float, list[str]] = {}
    for grad in found.values():
        if isinstance(grad.at, Scaled):
            carried.setdefault(grad.at.scale, []).append(f"`{grad.shown}`")
    return [
        f"{', '.join(dict.fromkeys(names))}: {scale:g} times the slope of the loss, a convention; "
        "judged without it."
        for scale, names in carried.items()
    ]
