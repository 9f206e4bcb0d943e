"""A gradient that comes back entry by entry: what comes in, times a slope.

Where the activation's output has no name, the step goes on to what is computed from it; what comes
in is then found by asking for the gradient at another input, where the slope is known.
"""

from typing import NamedTuple

import numpy as np

from handgrad.explain.activation import ACTIVATIONS, CLOSE, Activation, activation_by


class Entrywise(NamedTuple):
    """A gradient as `rest + upstream * slope`: `rest` comes back from other uses.

    `user` is the name of the activation's output `a`, None where it has none; `h` is its input.
    """

    user: str | None
    upstream: np.ndarray
    slope: np.ndarray
    rest: np.ndarray
    h: np.ndarray
    a: np.ndarray
    activation: Activation | None

    def gives(self, slope):
        """Return the gradient with another slope in its place."""
        return self.rest + self.upstream * slope


def entrywise(case):
    """Return all ways in which the gradient of a Case comes back entry by entry."""
    if not case.is_gradient or case.given(case.quantity) is None:
        return []
    h = np.asarray(case.given(case.quantity), np.float64)
    if h.shape != case.expected.shape:
        return []
    found = [through(case, user, upstream, h) for user, upstream in case.activations()]
    users = case.steps.users(case.quantity)
    if not found and len(users) == 1 and users != ["loss"]:
        found = [unnamed(case, h)]
    return [one for one in found if one is not None and case.is_right(one.gives(one.slope))]


def through(case, user, upstream, h):
    """Return the Entrywise of one use with a named output, None where that cannot be had."""
    a = np.asarray(case.given(user), np.float64)
    slope = case.slope_to(user) if a.shape == h.shape else None
    if slope is None or slope.shape != h.shape or user not in case.contributions:
        return None
    rest = case.expected - case.contributions[user]
    return Entrywise(user, upstream, slope, rest, h, a, activation_by(h, a, slope))


def unnamed(case, h):
    """Return the Entrywise of an activation whose output has no name, None where there is none."""
    one = np.ones_like(h)
    there = case.recompute({case.quantity: one})
    if there.shape != h.shape or not np.isfinite(there).all():
        return None
    for activation in ACTIVATIONS:
        a = activation.value(h)
        upstream = there / activation.slope(one, activation.value(one))
        slope = activation.slope(h, a)
        if np.ptp(slope) > CLOSE and case.is_right(upstream * slope):  # and so no linear step
            return Entrywise(None, upstream, slope, np.zeros_like(h), h, a, activation)
    return None
