"""Quantities that differ, looked at again: is their own step right all the same?

Each question is put to all of them in one pass of the reference, since each step is judged given
its own inputs: so the time does not grow with the number of mistakes.
"""

import numpy as np

from handgrad.run.precision import FLOAT32, FLOAT64

# In one nearby point at random, each entry at a kink goes to the other side with a chance of a
# half: where none of so many entries did, there is no kink.
FEW = 24

# Points are drawn as long as one in so many brings a gradient nearer to being between them: each
# of nine tied entries is the largest in one of nine. At a kink one of FIRST goes to another side.
FIRST, PATIENCE, MOST_POINTS = 6, 40, 100

# Between nearby points a slope without a jump moves by some of its tolerances: up to 7 were seen.
# What moves by no more may still jump a little, and gets fewer points.
NO_JUMP, FEW_POINTS = 16, 12


def second_look(steps, names, apart):
    """Return for each of the quantities that rounding does not explain the differences, a verdict.

    `apart` has the differences of each as they were found.
    """
    found = {}

    def settle(verdict, compared):
        off = steps.noise.unexplained(compared)
        found.update({n: (array, verdict) for n, array in compared.items() if n not in off})

    def left():
        return [name for name in names if name not in found]

    settle("match", from_exact_functions(steps, left()))
    settle("match", from_own_slopes(steps, left()))
    for name in subgradients(steps, left()):
        found[name] = apart[name], "subgradient"
    progress = -1
    while progress < len(found):  # what is right after all explains what was computed from it
        progress = len(found)
        settle("match", from_right_inputs(steps, left()))
    for name in left():
        cannot_be_judged = has_unusable_input(steps, name) or is_narrowed(steps, name, apart[name])
        found[name] = apart[name], "inherited" if cannot_be_judged else "wrong"
    return found


def from_exact_functions(steps, names):
    """Return how far quantities are off if what PyTorch cuts off is computed by its formula."""
    asked = names if steps.cut_off else []  # also gradients behind one that the user has not
    return compared(steps, asked, is_exact=True)


def from_own_slopes(steps, names):
    """Return how far gradients are off if the derivative is taken at the hand-written output.

    Autograd takes the slope of a sigmoid, say, at its own output; where the hand-written output
    is another, the slope at that one is as good: where it is wrong, or so near 0 that one program
    has 1e-309 and the other has 0.
    """
    gradients = [name for name in names if name.startswith("grad_")]
    users = {name: steps.users(name.removeprefix("grad_")) for name in gradients}
    asked = [n for n in gradients if any(has_other_digits(steps, user) for user in users[n])]
    return compared(steps, asked, saved=steps.actual)


def has_other_digits(steps, name):
    """Say whether any entry of a value differs by more than so many of its own last bits."""
    expected, precision = steps.expected[name], steps.precision
    if name not in steps.actual:
        return False
    apart = steps.apart(name, expected)
    return not (apart <= precision.safety * precision.eps * np.abs(expected)).all()


def from_right_inputs(steps, names):
    """Return how far quantities are off given what their wrong inputs should have been.

    Where one is right then, so is its own step, and the inputs were changed, or given another's
    name, after it was computed from them.
    """
    off = set(names)
    asked = [name for name in names if off.intersection(steps.inputs(name))]
    return compared(steps, asked, replaced={name: steps.expected[name] for name in names})


def compared(steps, names, **changed):
    """Return how far quantities are from what one other pass gives, as far as that is finite."""
    if not names:
        return {}
    trace = steps.recompute(**changed)
    found = {name: trace[name] for name in names if np.isfinite(trace[name]).any()}
    return {name: steps.apart(name, expected) for name, expected in found.items()}


def subgradients(steps, names):
    """Return which gradients differ only where several slopes are right, and have one of them.

    At 0 a ReLU has every slope between those on its two sides, so a gradient there is right if
    it lies between those of nearby points. Where the largest of several entries are tied, moving
    one takes from the others what it gets: the sum is the same at all nearby points, and a right
    gradient keeps it.
    """
    off = {name: differing(steps, name) for name in names if can_have_kinks(steps, name)}
    if not off:
        return []
    first = nearby(steps, off, 0)
    few = {name for name in off if np.count_nonzero(off[name]) <= FEW}
    around = [steps.expected, first]
    off = {n: at for n, at in off.items() if n in few or has_jumped(steps, n, at, around)}
    points, unchanged, outside, most = [first], 0, np.inf, MOST_POINTS
    while off and outside and unchanged < PATIENCE and len(points) < most:
        points.append(nearby(steps, off, len(points)))
        before, outside = outside, sum(is_outside(steps, name, points).sum() for name in off)
        unchanged = unchanged + 1 if outside == before else 0
        if len(points) == FIRST:
            off = {n: at for n, at in off.items() if has_jumped(steps, n, at, points)}
            if not any(has_jumped(steps, n, at, points, NO_JUMP) for n, at in off.items()):
                most = FEW_POINTS
    return between(steps, off, points)


def can_have_kinks(steps, name):
    """Say whether a quantity is the gradient of a value that can be moved."""
    quantity = name.removeprefix("grad_")
    value = steps.value(quantity)
    shapes = {np.shape(value), steps.actual[name].shape, steps.expected[name].shape}
    if quantity == name or value is None or len(shapes) != 1:
        return False
    return not steps.smooth.issuperset(steps.users(quantity))


def nearby(steps, off, number):
    """Return the trace of a pass in which values are moved a little where their gradients differ.

    All in one direction or each in its own, at random, and no two by as much as each other. Every
    other point lies on the other side of the one before: so a kink shows between the two.
    """
    moved, pair = {}, number // 2
    side = 1 - 2 * (number % 2)
    # by more, as bfloat16 would have it, a slope that is none of a kink's changes as well
    eps = min(steps.precision.eps, FLOAT32.eps)
    drift = np.random.default_rng(pair).choice([-1, 0, 1])
    for name, at in off.items():
        rng = np.random.default_rng([pair, *name.encode()])  # as before, whatever else is moved
        quantity = name.removeprefix("grad_")
        value = np.asarray(steps.value(quantity), np.float64)
        step = side * (64 * eps * np.abs(value) + steps.precision.tiny)
        moved[quantity] = value + np.where(at, step * (drift + rng.uniform(-1, 1, at.shape)), 0)
    return steps.recompute(replaced=moved, precision=FLOAT64)


def has_jumped(steps, name, at, points, times=1):
    """Say whether any entry that differs is another at one nearby point than at the next.

    It is where it moves by more than so many times its tolerance.
    """
    moved = np.ptp([point[name] for point in points], axis=0)
    return bool((moved > times * steps.tolerance(name))[at].any())


def between(steps, off, points):
    """Return which gradients lie between those of nearby points, and keep their sum.

    `points` are the traces there, and `off` has which entries of each gradient differ.
    """
    outside = {name: is_outside(steps, name, points) for name in off}
    beyond = steps.noise.unexplained(outside)
    return [name for name in off if name not in beyond and keeps_sum(steps, name, off, points)]


def is_outside(steps, name, points):
    """Return by how much each entry of a gradient lies outside of those of nearby points."""
    there = [point[name] for point in points]
    actual = np.asarray(steps.actual[name], np.float64)
    apart = np.maximum(np.min(there, axis=0) - actual, actual - np.max(there, axis=0))
    return np.where(apart <= steps.tolerance(name), 0.0, np.where(np.isnan(apart), np.inf, apart))


def keeps_sum(steps, name, off, points):
    """Say whether a gradient's entries add up to what they do at all nearby points, if they do."""
    tolerance = np.broadcast_to(steps.tolerance(name), off[name].shape)
    at = off[name] | (np.ptp([point[name] for point in points], axis=0) > tolerance)
    allowed = tolerance[at].sum()
    there = [point[name][at] for point in points]
    sums = np.sum(there, axis=1)
    is_kept = np.ptp(sums) <= allowed < np.ptp(there, axis=0).max(initial=0.0)
    return not is_kept or bool(abs(steps.actual[name][at].sum() - sums[0]) <= allowed)


def has_unusable_input(steps, name):
    """Say whether an input has a shape that the reference cannot compute with."""
    return any(
        other in steps.actual and steps.actual[other].shape != steps.expected[other].shape
        for other in steps.inputs(name)
        if other in steps.expected
    )


def is_narrowed(steps, name, apart):
    """Say whether a quantity is off by the rounding of a narrower dtype that an input has."""
    given = (steps.actual.get(other) for other in steps.inputs(name))
    dtypes = {array.dtype for array in given if array is not None}
    narrow = steps.actual[name].dtype
    if narrow not in dtypes or narrow.kind != "f":
        return False
    if narrow.itemsize >= steps.precision.numpy.itemsize:
        return False
    coarse = float(np.finfo(narrow).eps) / steps.precision.eps
    return bool((apart <= steps.tolerance(name) * coarse).all())


def differing(steps, name):
    """Return which entries of a quantity differ by more than rounding explains."""
    return ~(steps.apart(name, steps.expected[name]) <= steps.tolerance(name))
