"""Finite differences: does a backward pass differentiate its own forward pass? No PyTorch here.

The slope of the loss along a random direction d is (loss(p + h d) - loss(p - h d)) / 2 h, a
central difference; and it is the gradient times d. A few forward passes an array, whatever its
size, tell "your backward does not differentiate your forward" from "your forward is another
network".

The step h: a central difference is off by about h**2 times the third derivative, and by the
loss's rounding, eps |loss| / h. With h near eps ** (1 / 3) the two are about equal, and both
are measured: the difference is taken with h and with h / 2, and must agree with itself before
it is held against the gradient. Where the two do not, the direction crosses a kink: it is drawn
again, with half the step.
"""

from typing import NamedTuple

import numpy as np

from handgrad.errors import InputError
from handgrad.explain.passes import undecided
from handgrad.findings import Cause, Finding, Verdict
from handgrad.run.hand_written import named_inputs, packed

DRAWS = 3  # directions in which a gradient must be right
REDRAWS = 12
SAFETY = 64
EPS = float(np.finfo(np.float64).eps)


class Slope(NamedTuple):
    """Of one gradient: how far it is from the slope of the loss, along its worst direction.

    `tolerance` is how far the measured slope may be off, `largest` the gradient's slope along
    that direction. `agrees` is None where every direction crossed a kink, so that nothing can
    be said.
    """

    name: str
    shape: tuple[int, ...]
    difference: float
    tolerance: float
    largest: float
    agrees: bool | None


def slopes(network, actual, only=None):
    """Hold each parameter's gradient, and the inputs', against differences of the loss.

    `actual` is the hand-written trace of `network`, whose forward pass is run again and again in
    float64. Returns a Slope for each gradient that is there, or of those that are named in `only`:
    that of the first direction in which it is wrong, or of the one in which it is furthest off.
    """
    point = start(network, actual)
    loss, rng = loss_of(network, point), np.random.default_rng(0)
    here, rough = rounding_of(loss, point, rng)
    found = []
    for name in point:
        grad = actual.get(f"grad_{name}")
        if grad is None or (only and name not in only):
            continue
        if grad.shape == point[name].shape and np.isfinite(grad).all():
            found.append(hold_against(loss, here, rough, name, point[name], grad, rng))
        else:  # no slope of anything
            found.append(Slope(name, point[name].shape, np.inf, 0.0, 0.0, False))
    return found


def start(network, actual):
    """Return the parameters, and the inputs that have a gradient in `actual`, in float64."""
    point = {name: np.asarray(w, np.float64) for name, w in network.params.items()}
    data = named_inputs(network.x)
    return point | {n: np.asarray(x, np.float64) for n, x in data.items() if f"grad_{n}" in actual}


def loss_of(network, point):
    """Return a function from what is moved of `point`, arrays by name, to the loss there."""
    data = named_inputs(network.x)
    y = network.y if network.y.dtype.kind != "f" else np.asarray(network.y, np.float64)

    # a forward pass that was run here has changed nothing of what it was given
    own = np.asarray if network.quantities is None else np.array

    def loss(moved):
        arrays = {name: own(array) for name, array in {**data, **point, **moved}.items()}
        x = packed({name: arrays.pop(name) for name in data}, network.x)
        with np.errstate(all="ignore"):
            return float(np.asarray(network.forward(arrays, x, own(y))["loss"]).reshape(()))

    return loss


def rounding_of(loss, point, rng):
    """Return the loss at a point, and by how much rounding can move it.

    It rounds by its own last bit, and by what those of all that goes in make of it.
    """
    here = loss({})
    moved = [
        {n: a * (1 + EPS * rng.choice([-1, 1], a.shape)) for n, a in point.items()}
        for _ in range(2)
    ]
    return here, EPS * abs(here) + max(abs(loss(one) - here) for one in moved)


def contradicts(network, trace, tolerance=lambda _: 0.0):
    """Say whether the gradients in a trace are not the loss's slopes, all of them at once.

    `tolerance(name)` is how far rounding may have put the entries of one off.

    One direction of all parameters and inputs together costs a few forward passes, however many
    these are.
    """
    point = {n: a for n, a in start(network, trace).items() if f"grad_{n}" in trace and a.size}
    if not point:
        return False
    loss, rng = loss_of(network, point), np.random.default_rng(0)
    here, rough = rounding_of(loss, point, rng)
    ends = np.cumsum([array.size for array in point.values()])[:-1]
    # each array is moved in proportion to its own size: the steps of a large one throw a small one
    units = {name: float(np.abs(array).max()) or 1.0 for name, array in point.items()}

    def along(moved):
        parts = zip(point.items(), np.split(moved["all"], ends), strict=True)
        return loss({name: part.reshape(a.shape) * units[name] for (name, a), part in parts})

    array = np.concatenate([array.reshape(-1) / units[name] for name, array in point.items()])
    grad = np.concatenate([trace[f"grad_{name}"].reshape(-1) * units[name] for name in point])
    own = np.concatenate(
        [np.full(a.size, np.max(tolerance(f"grad_{n}")) * units[n]) for n, a in point.items()]
    )
    if not np.isfinite(grad).all():
        return False
    return hold_against(along, here, rough, "all", array, grad, rng, own).agrees is False


def suspects(findings):
    """Return the names of what the gradient of may be no slope, by Findings against a reference.

    Where the forward pass is the reference's and some gradient is not, these are the others: what
    is the reference's is its slope. Else, None: any may be.
    """
    wrong = [finding for finding in findings if finding.verdict == "wrong"]
    if any(finding.kind != "gradient" for finding in wrong) or not wrong:
        return None
    gradients = [f for f in findings if f.kind == "gradient" and f.verdict != "match"]
    return {finding.name.removeprefix("grad_") for finding in gradients}


def findings_on(network, actual, slopes):
    """Return Slopes as Findings, for a report in which they are all that there is.

    Raises InputError where there is none.
    """
    if all(slope.agrees is None for slope in slopes):
        raise InputError(
            f"{network.name}: no gradient of a parameter could be judged: "
            + (undecided(slopes) if slopes else "give them as grad_NAME, dNAME or NAME_grad.")
        )
    missing = [name for name in network.params if f"grad_{name}" not in actual]
    return [finding(slope, actual[f"grad_{slope.name}"]) for slope in slopes] + [
        Finding(f"grad_{name}", "gradient", network.params[name].shape, 0, 0, 0, 0, "missing")
        for name in missing
    ]


def finding(slope, grad):
    """Return one Slope as a Finding."""
    verdicts: dict[bool | None, Verdict]
    verdicts = {True: "match", False: "wrong", None: "inconclusive"}
    name, cause = f"grad_{slope.name}", None
    if grad.shape != slope.shape:
        cause = Cause("shape", f"`{name}` has shape {grad.shape} where {slope.shape} is meant.")
    elif not np.isfinite(grad).all():
        count = int((~np.isfinite(grad)).sum())
        cause = Cause("nonfinite", f"`{name}` holds nan or inf in {count} of {grad.size} entries.")
    return Finding(
        name=name,
        kind="gradient",
        shape=slope.shape,
        difference=slope.difference,
        tolerance=slope.tolerance,
        ratio=slope.difference / slope.tolerance if slope.tolerance else slope.difference,
        resolution=slope.tolerance / slope.largest if slope.largest else 0.0,
        verdict=verdicts[slope.agrees],
        cause=cause,
    )


def not_the_slope(name):
    """Return the Cause of a gradient that every step explains, and the loss contradicts."""
    return Cause(
        "differences",
        f"`{name}` is not the slope of the loss, as finite differences have it: of several slopes "
        "at a kink not any combination is right.",
    )


def hold_against(loss, here, rough, name, array, grad, rng, own=0.0):
    """Compare a gradient with differences along a few directions; return the worst Slope.

    `own` is how far rounding may have put the entries of the gradient off, where that is known.
    """
    found: list[tuple[float, float, float, float]] = []  # ratio, difference, tolerance, slope
    step = EPS ** (1 / 3) * (float(np.abs(array).max()) or 1.0)
    for _ in range(REDRAWS):
        direction = rng.standard_normal(array.shape)
        measured = slope(loss, here, rough, name, array, direction, step)
        if measured is None:
            step /= 2
            continue
        low, high, off = measured
        along = float((grad * direction).sum())
        difference = max(low - along, along - high, 0.0)
        # the gradient has rounding errors of its own, those of the dtype it was computed in
        narrow = float(np.finfo(grad.dtype if grad.dtype.kind == "f" else np.float64).eps)
        off += SAFETY * narrow * float(np.abs(grad * direction).sum())
        off += float((np.abs(direction) * own).sum())
        if low < high and difference > off:
            continue  # where several kinks meet, right slopes may add up to one beyond both sides
        if difference > off:  # a kink at a third of the step looks smooth; of half the step, not
            nearer = slope(loss, here, rough, name, array, direction, step / 2)
            if not is_same(nearer, measured):
                step /= 2
                continue
        found.append((difference / max(off, 1e-300), difference, off, abs(along)))
        if len(found) == DRAWS or difference > off:
            break
    if not found:
        return Slope(name, array.shape, float("nan"), float("nan"), 0.0, None)
    ratio, difference, off, along = max(found)
    return Slope(name, array.shape, float(difference), float(off), along, bool(ratio <= 1))


def is_same(nearer, measured):
    """Say whether the slopes with half the step are those with the whole one, as far as known."""
    low, high, off = measured
    return nearer is not None and max(abs(nearer[0] - low), abs(nearer[1] - high)) <= off


def slope(loss, here, rough, name, array, direction, step):
    """Return the slopes of the loss along a direction, and how far they may be off, or None.

    `here` is the loss at the point itself, `rough` by how much it rounds. Of the slopes that are
    right it is the lowest and the highest: along a smooth curve the slopes to the right and to
    the left differ by something that halves with the step, and between them there is one. At a
    kink they differ by a jump that stays, and any slope between them is right (others may be).
    Across a kink further off nothing can be said: None.
    """
    values = [loss({name: array + h * direction}) for h in (step, step / 2, -step / 2, -step)]
    if not np.isfinite([here, *values]).all():
        return None
    far, near, near_left, far_left = values
    largest = max(map(abs, [here, *values]))
    rounding = SAFETY * max(EPS * largest, rough) / step
    wide, close = (far - far_left) / (2 * step), (near - near_left) / step
    gap = (far - 2 * here + far_left) / step
    near_gap = (near - 2 * here + near_left) / (step / 2)
    if abs(near_gap - gap / 2) <= 1e-2 * abs(gap) + rounding:
        # along a smooth curve it is off by a third of that; where the curvature jumps, by all of it
        return close, close, 2 * abs(wide - close) + rounding
    if abs(near_gap - gap) > 1e-2 * abs(gap) + rounding:
        return None
    sides = (near - here) / (step / 2), (here - near_left) / (step / 2)
    off = abs(sides[0] - (far - here) / step) + abs(sides[1] - (here - far_left) / step)
    return min(sides), max(sides), off + rounding
