"""Variables that are read after the update line: the weights are no longer those of the values."""

from dataclasses import replace

import numpy as np

from handgrad.explain.thresholds import ENTRIES_FOR_A_FIT
from handgrad.load.layout import fit, step_by_step

# A rate that is so close to a number of so few digits is that number, but for rounding.
DIGITS = 6


def before_update(network, fits):
    """Return the parameters from before `w -= rate * dw`, which ones moved, and the rate.

    None where it was not so. `fits` says which values are the reference's: those that are not
    have to be those of `w + rate * dw` for one rate, of all weights that go into them.
    """
    if all(fits.values()):
        return None
    here = step_by_step(network)
    if here is None:
        return None
    given, off = network.quantities, set()
    for name, sources in here.sources.items():
        if name in given and not fit(given[name], here.quantities[name], network):
            off |= sources & network.params.keys()
    grads = {name: given.get(f"grad_{name}") for name in off}
    if any(g is None or g.shape != network.params[n].shape for n, g in grads.items()):
        return None
    if sum(grad.size for grad in grads.values()) < ENTRIES_FOR_A_FIT:
        return None
    there = step_by_step(moved(network, grads, 1.0))
    rate = None if there is None else rate_of(network, here, there)
    if rate is None:
        return None
    before = moved(network, grads, rate)
    again = step_by_step(before)
    if again is None or not all(
        fit(array, again.quantities[name], network)
        for name, array in given.items()
        if name in again.sources
    ):
        return None
    return before.params, sorted(grads), rate


def moved(network, grads, rate):
    """Return a Network with `rate` times their gradients added to some of its parameters."""
    params = dict(network.params)
    for name, grad in grads.items():
        params[name] = (params[name] + rate * grad).astype(params[name].dtype)
    return replace(network, params=params)


def rate_of(network, here, there):
    """Return the rate at which the given values lie on the line from one run to another.

    Each value depends on the weights of its own step, linearly.
    """
    along = square = 0.0
    for name in here.sources:
        actual = network.quantities.get(name)
        if name == "loss" or actual is None or actual.shape != here.quantities[name].shape:
            continue
        slope = there.quantities[name].astype(np.float64) - here.quantities[name]
        along += float(((actual - here.quantities[name]) * slope).sum())
        square += float((slope * slope).sum())
    if not square or not np.isfinite(along / square):
        return None
    rate = along / square
    short = float(f"{rate:.{DIGITS}g}")
    return short if abs(short - rate) <= 1e-3 * 10.0**-DIGITS * abs(rate) else rate
