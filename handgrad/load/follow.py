"""Does autograd follow a user's forward pass? Its values are the plain ones, its slopes the loss's.

Where the loss is all but 0, or the numbers are so large that its differences say nothing, that is
seen elsewhere: what was detached on the way is so whatever the numbers are.
"""

from dataclasses import replace

import numpy as np

from handgrad.compare.tolerance import apart_of, noise_of
from handgrad.explain.finite_difference import contradicts
from handgrad.load.arrays import is_near
from handgrad.run.hand_written import mapped
from handgrad.run.precision import FLOAT64
from handgrad.run.reference import run_reference

POINTS = 2  # where it is looked at again


def unfollowed(network, quick, run):
    """Return the names of the values that autograd has otherwise, None where it follows all.

    `run` is that of the reference of `network`, whose forward pass returns the values; `quick` is
    the same Network with a forward pass that returns the loss alone. The list is empty where just
    the slopes are others.
    """
    off = differing(network, run)
    if not off and not has_other_slopes(quick, run):
        return None
    if off in ([], ["loss"]) and follows_elsewhere(network, quick):
        return None
    return off


def differing(network, run):
    """Return the names of the values that the plain pass has otherwise, by more than rounding."""
    plain = network.forward(network.params, network.x, network.y)
    trace = run.quantities
    off = [name for name in plain if name in trace and not is_near(plain[name], trace[name])]
    if not off:
        return off
    apart = {name: apart_of(plain[name], trace[name]) for name in off}  # what is left of a sum
    noise = noise_of(network, FLOAT64, run)
    left = noise.unexplained(apart)
    return noise.unexplained_by_chaos({name: apart[name] for name in left})


def follows_elsewhere(network, quick):
    """Say whether autograd follows the forward pass from weights and data of an ordinary size."""
    rng = np.random.default_rng(0)

    def drawn(array):
        return rng.standard_normal(array.shape) if array.dtype.kind == "f" else array

    for _ in range(POINTS):
        params, x, y = mapped(drawn, (dict(network.params), network.x, network.y))
        here, there = (replace(one, params=params, x=x, y=y) for one in (network, quick))
        run = run_reference(here, FLOAT64)
        if not differing(here, run) and not has_other_slopes(there, run):
            return True
    return False


def has_other_slopes(network, run):
    """Say whether autograd's gradients are not the loss's slopes, and no rounding explains it."""
    if not contradicts(network, run.quantities):
        return False
    noise = noise_of(network, FLOAT64, run).draw_all()
    return contradicts(network, run.quantities, noise.tolerance)
