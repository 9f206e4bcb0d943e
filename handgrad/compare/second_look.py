"""A quantity that differs, looked at again: is its own step right all the same?"""

from itertools import combinations

import numpy as np


def second_look(steps, name, difference, wrong):
    """Return the difference and the verdict of a quantity that rounding does not explain.

    `wrong` are the names of the quantities before it that are.
    """
    by_own_slope = difference_by_own_slope(steps, name, wrong)
    if by_own_slope <= steps.tolerance(name):
        return by_own_slope, "match"
    if is_subgradient(steps, name):
        return difference, "subgradient"
    from_right_inputs = difference_from_right_inputs(steps, name, wrong)
    if from_right_inputs <= steps.tolerance(name):
        return from_right_inputs, "match"
    if has_unusable_input(steps, name) or is_narrowed(steps, name, difference):
        return difference, "inherited"
    return difference, "wrong"


def difference_by_own_slope(steps, name, wrong):
    """Return how far a gradient is off if the derivative is taken at the hand-written output.

    Autograd takes the slope of a sigmoid, say, at its own output; where the hand-written output
    is wrong, the slope at that one is as good.
    """
    users = steps.users(name.removeprefix("grad_")) if name.startswith("grad_") else []
    if not wrong.intersection(users):
        return np.inf
    expected = steps.attempt(name, saved=steps.actual)
    return steps.difference(name, expected) if np.isfinite(expected).any() else np.inf


def is_subgradient(steps, name):
    """Say whether a gradient differs only where several slopes are right, and has one of them.

    At 0 a ReLU has every slope between those on its two sides, so a gradient there is right
    if it lies between the gradients just left and just right of it.
    """
    quantity, actual = name.removeprefix("grad_"), steps.actual[name]
    value = steps.value(quantity)
    if quantity == name or value is None:
        return False
    if not value.shape == actual.shape == steps.expected[name].shape:
        return False
    tolerance, off = steps.tolerance(name), differing(steps, name)
    bit = 4 * steps.precision.eps * np.abs(value) + steps.precision.tiny
    left = steps.attempt(name, {quantity: value - np.where(off, bit, 0)})
    right = steps.attempt(name, {quantity: value + np.where(off, bit, 0)})
    above = actual >= np.minimum(left, right) - tolerance
    below = actual <= np.maximum(left, right) + tolerance
    return bool((above & below)[off].all())


def difference_from_right_inputs(steps, name, wrong):
    """Return how far a quantity is off given what some of its wrong inputs should have been.

    Where it is right, so is its own step, and they were changed, or given another's name, after
    it was computed from them. It is inf where rounding explains it for none of them.
    """
    inputs = [other for other in steps.expected if other in wrong & steps.inputs(name)]
    for size in range(1, len(inputs) + 1):
        for some in combinations(inputs, size):
            corrected = steps.attempt(name, {other: steps.expected[other] for other in some})
            apart = steps.difference(name, corrected)
            if np.isfinite(corrected).any() and apart <= steps.tolerance(name):
                return apart
    return np.inf


def has_unusable_input(steps, name):
    """Say whether an input has a shape that the reference cannot compute with."""
    return any(
        other in steps.actual and steps.actual[other].shape != steps.expected[other].shape
        for other in steps.inputs(name)
        if other in steps.expected
    )


def is_narrowed(steps, name, difference):
    """Say whether a quantity is off by the rounding of a narrower dtype that an input has."""
    given = (steps.actual.get(other) for other in steps.inputs(name))
    dtypes = {array.dtype for array in given if array is not None}
    narrow = steps.actual[name].dtype
    if narrow not in dtypes or narrow.kind != "f":
        return False
    if narrow.itemsize >= steps.precision.numpy.itemsize:
        return False
    coarse = float(np.finfo(narrow).eps) / steps.precision.eps
    return difference <= steps.tolerance(name) * coarse


def differing(steps, name):
    """Return which entries of a quantity differ by more than rounding explains."""
    apart = np.subtract(steps.actual[name], steps.expected[name], dtype=np.float64)
    return ~(np.abs(apart) <= steps.tolerance(name))
