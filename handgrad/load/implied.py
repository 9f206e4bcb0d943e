"""The loss of a script that has none: what goes back first tells which one is meant.

`error`, drawn before the pass, is what comes from the next layer: the loss is the sum of the output
times that. `l2_error = y - l2` is the slope of one of the losses that people mean: the one whose
slopes the gradients of the weights are.
"""

import re
from collections import Counter
from dataclasses import replace
from functools import partial

import numpy as np

from handgrad.errors import InputError
from handgrad.load.arrays import is_near
from handgrad.load.names import Y_NAMES, array_of

UPSTREAM = re.compile(r"(?i)d(L_?d)?(out|y|z|a|h)(put)?|(out_?)?err(or)?|upstream|grad_?out(put)?")
GOES_BACK = re.compile(r"(?i).*(delta|err|grad|deriv|diff).*")
DIGITS = 6  # a multiple of so few digits is that number, but for rounding


def half_squares(output, y):
    """Return half the sum of squared errors."""
    return ((output - y) ** 2).sum() / 2


def binary_entropy(output, y):
    """Return the cross entropy of probabilities of one class each."""
    return -(y * np.log(output) + (1 - y) * np.log(1 - output)).sum()


def entropy(output, y):
    """Return the cross entropy of probabilities of several classes."""
    return -(y * np.log(output)).sum()


LOSSES = {
    half_squares: "half the sum of the squares of `{} - y`",
    binary_entropy: "the binary cross entropy of `{}`",
    entropy: "the cross entropy of `{}`",
}


def implied(programme, notes):
    """Return a script's Programme with the loss that is implied, or None where nothing implies one.

    `notes` are all names of its pass.
    """
    held = programme.held()
    for name, given in held.items():
        array = array_of(given)
        if UPSTREAM.fullmatch(name) and array is not None and array.dtype.kind == "f":
            used = [n for n, note in notes.items() if note.given is given]
            at = last_of(array.shape, notes, used[0]) if used else None
            if at is not None:
                return replace(programme, loss=partial(times_held, programme, name), loss_at=at)
    name = next((name for name in Y_NAMES if name in held), None)
    back = next((number for number, note in notes.items() if goes_back(note)), None)
    if name is None or back is None:
        return None
    own = {number: note for number, note in notes.items() if note.function == "<module>"}
    at = last_of(np.shape(held[name]), own, back)  # of the script's own lines: no helper's
    loss = partial(of_output, half_squares, programme, name)
    return None if at is None else replace(programme, loss=loss, loss_at=at)


def goes_back(note):
    """Say whether an array that was noted is called an error, a delta or a gradient."""
    is_array = array_of(note.value) is not None and not note.is_argument
    return is_array and GOES_BACK.fullmatch(note.name) is not None


def last_of(shape, notes, before):
    """Return the number of the last value of this shape before a number, None if there is none."""
    for number in reversed(range(before)):
        array = array_of(notes[number].value) if number in notes else None
        is_value = array is not None and array.dtype.kind == "f" and array.shape == shape
        if is_value and not notes[number].is_argument:
            return number
    return None


def times_held(programme, name, _, output):
    """Return the loss whose gradient of the output is what a script holds under this name."""
    return (output * programme.held()[name]).sum()


def of_output(loss, programme, name, _, output):
    """Return a loss of the output and the targets that a script holds under this name."""
    return loss(output, programme.held()[name])


def divided(loss, times, result, noted):
    """Return a part of a loss."""
    return loss(result, noted) / times


def meant(first, with_gradient, truth, truth_for):
    """Return the first run with the loss that is meant, its Truth, and a note; see `implied`.

    `truth_for` finds autograd's of another first run.
    """
    programme = first.programme
    if getattr(programme.loss, "func", None) is not of_output:
        return first, truth, []
    best, times = (first, truth, half_squares), multiple(with_gradient, truth)
    for loss in LOSSES:
        if times is not None:
            break
        args = programme.loss.args[1:]
        other = replace(first, programme=replace(programme, loss=partial(of_output, loss, *args)))
        try:
            found = truth_for(other)
        except InputError:  # no logarithm of what is no probability
            continue
        if all_known(first, found):  # else a slope was computed, and forgotten
            times = multiple(with_gradient, found)
            best = best if times is None else (other, found, loss)
    first, truth, loss = best
    said = LOSSES[loss].format(first.values[programme.loss_at].name)
    notes = [f"There is no loss: {said} is taken."]
    if times not in (None, 1.0):
        programme = first.programme
        less = replace(programme, loss=partial(divided, programme.loss, 1 / times))
        first, notes = (
            replace(first, programme=less),
            [f"{notes[0][:-6]}, {times:g} times, is taken."],
        )
        truth = truth_for(first)
    return first, truth, notes


def all_known(first, truth):
    """Say whether all that goes back is some gradient, or the negative of one."""
    slopes = [*truth.slopes.values(), *truth.results.values(), *truth.trace.values()]
    notes = {**first.values, **first.grads}.values()
    back = [array_of(note.value) for note in notes if goes_back(note)]
    return all(
        any(is_near(array, slope) or is_near(array, -slope) for slope in slopes) for array in back
    )


def multiple(with_gradient, truth):
    """Return how many times the slopes most gradients are, more than 0; None if they are none.

    One weight alone that is 1/4 of it is a mistake: a convention is that of all.
    """
    found: Counter[float] = Counter()
    for name, grad in with_gradient.items():
        slope = truth.trace.get(f"grad_{name}")
        if slope is None or slope.shape != grad.value.shape or not slope.any():
            continue
        times = float((grad.value * slope).sum() / (slope**2).sum())
        if times > 0 and is_near(grad.value, times * slope):
            found[float(f"{times:.{DIGITS}g}")] += 1
    if not found:
        return None
    times, count = found.most_common(1)[0]
    return times if count > 1 else 1.0
