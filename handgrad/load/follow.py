"""Does autograd follow a user's forward pass? Its values are the plain ones, its slopes the loss's.

Where the loss is all but 0, or the numbers are so large that its differences say nothing, that is
seen elsewhere: what was detached on the way is so whatever the numbers are.
"""

from dataclasses import replace

import numpy as np

from handgrad.compare.tolerance import apart_of, noise_of
from handgrad.errors import InputError
from handgrad.explain.finite_difference import contradicts
from handgrad.explain.origin import Origins
from handgrad.load.arrays import is_near
from handgrad.load.noted_passes import NotedPasses
from handgrad.network import Reference
from handgrad.run.hand_written import in_dtype, mapped
from handgrad.run.own_forward import OwnForward
from handgrad.run.precision import FLOAT64, arithmetic
from handgrad.run.reference import run_reference

POINTS = 2  # where it is looked at again


def with_reference(network, programme, watched, with_inputs, grads=None):
    """Return a Network with its own forward pass as the reference.

    `watched` has the names of the watched values by their places; for `grads` see OwnForward.
    """
    model = OwnForward(programme, network, watched, grads)
    table = {name: f"own.{number}" for number, name in enumerate(network.params)}
    paths = {path: watched[at] for at, path in model.at.items()}
    reference = Reference(model, table, model.loss, paths, with_inputs, kind="forward")
    return replace(network, reference=reference)


def followed(draft, programme, watched, with_inputs, grads):
    """Return the trace of the forward pass under autograd; raise InputError if it is another.

    It has to compute what the plain one does, and its gradients have to be the slopes of that. The
    gradients of all Results are put into `grads`.
    """
    places = {name: at for at, name in watched.items()}
    passes, for_loss = NotedPasses(programme, places, {}), NotedPasses(programme, {}, {}).forward
    network = with_reference(draft, programme, watched, with_inputs, grads)
    network = in_dtype(replace(network, forward=passes.forward), np.float64)
    with np.errstate(all="ignore"), arithmetic(FLOAT64):
        run = run_reference(network, FLOAT64)
        if not np.isfinite(loss := run.quantities["loss"]).all():
            raise InputError(
                f"{programme.where}: the loss is {float(loss)} with these weights and data: it has "
                f"no slope there, so no gradient can be judged{of_loss(draft, programme)}."
            )
        off = unfollowed(network, replace(network, forward=for_loss), run)
        if off is not None:
            raise InputError(
                f"{programme.where}: autograd does not follow the forward pass"
                + (f", first not at {off[0]}" if off else "")
                + ": give the network in PyTorch as `reference`, see `handgrad new --torch`."
            )
    return run.quantities


def of_loss(draft, programme):
    """Say where a loss that is nan or inf has that from, as the rest of a sentence."""
    plain = replace(draft, plain=(programme.forward, None))
    said = Origins(plain).of_loss()
    return f": {said[:-1]}" if said else "; use smaller numbers"


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
