"""Curves over the training steps, as paths of an SVG picture on a log axis."""

import math
from typing import NamedTuple

import numpy as np

WIDTH, HEIGHT = 600, 180  # of the area between the axes
MOST_TICKS = 6


class Chart(NamedTuple):
    """A picture's paths by their names, and where its ticks are: pairs of a place and a label."""

    paths: dict[str, str]
    ticks_x: list[tuple[float, str]]
    ticks_y: list[tuple[float, str]]


def losses_chart(drift):
    """Return the Chart of both runs' losses."""
    lines = {"first": drift.actual, "second": drift.expected}
    low, high = decades(*lines.values())
    return chart({name: line(y, low, high) for name, y in lines.items()}, drift, low, high)


def drift_chart(drift):
    """Return the Chart of the losses' relative difference, and of what rounding allows."""
    difference, allowed = drift.difference / drift.scale, drift.tolerance / drift.scale
    low, high = decades(difference, allowed)
    paths = {"band": band(allowed, low, high), "difference": dots(difference, low, high)}
    return chart(paths, drift, low, high)


def chart(paths, drift, low, high):
    """Return a Chart with its ticks."""
    last = len(drift.actual) - 1
    step = 100 if last >= 200 else max(1, last // 4)
    across = [(place(i, last), str(i)) for i in range(0, last + 1, step)]
    every = math.ceil((high - low) / MOST_TICKS)
    upward = [(rise(e, low, high), f"1e{e}") for e in range(low, high + 1, every)]
    return Chart(paths, across, upward)


def decades(*curves):
    """Return the powers of ten between which all that can be drawn of the curves lies."""
    y = np.concatenate(curves)
    y = y[np.isfinite(y) & (y > 0)]
    if not y.size:
        return -1, 0
    low, high = math.floor(np.log10(y.min())), math.ceil(np.log10(y.max()))
    return low, max(high, low + 1)


def place(i, last):
    """Return how far right step `i` is."""
    return round(WIDTH * i / max(last, 1), 1)


def rise(exponent, low, high):
    """Return how far down a power of ten is: an SVG counts from the top."""
    return round(HEIGHT * (high - exponent) / (high - low), 1)


def points(y, low, high):
    """Yield each step that a log axis has a place for, with its places across and down."""
    for i, value in enumerate(y):
        if value > 0 and math.isfinite(value):
            yield i, place(i, len(y) - 1), rise(math.log10(value), low, high)


def line(y, low, high):
    """Return a curve as a path, with a gap where it has no place on the axis."""
    path, before = [], None
    for i, across, down in points(y, low, high):
        path.append(f"{'L' if before == i - 1 else 'M'}{across:g} {down:g}")
        before = i
    return "".join(path)


def dots(y, low, high):
    """Return a path with a dot for each step."""
    return "".join(f"M{across:g} {down:g}h0" for _, across, down in points(y, low, high))


def band(y, low, high):
    """Return the area below a curve as a path; where it allows anything, up to the top."""
    y = np.minimum(y, 10.0**high)
    edge = "".join(f"L{across:g} {down:g}" for _, across, down in points(y, low, high))
    return f"M0 {HEIGHT}{edge}L{WIDTH} {HEIGHT}z" if edge else ""
