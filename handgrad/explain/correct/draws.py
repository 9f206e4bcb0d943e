"""Other numbers for a network, on which a correction has to be right as well."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from handgrad.network import Network
from handgrad.run.code import TooLong, at_most
from handgrad.run.hand_written import in_dtype, named_inputs, run_hand_written
from handgrad.run.own_forward import OwnForward
from handgrad.run.perturb import are_whole
from handgrad.run.precision import mapped

DRAWS = 2
PATIENCE = 10.0  # seconds for a run on few rows
ROWS = 16  # that are tried first, where there are many


def draws_of(network: Network, seconds: float) -> list[tuple[Network, bool]]:
    """Return other draws in float64, each with whether the code as it is runs on it.

    One on which it does not may be one for which a wrong name has the wrong size. On other numbers
    a loop may not end, so each gets so many `seconds`.
    """
    found: list[tuple[Network, bool]] = []
    for seed in range(1, DRAWS + 1):
        ways = [in_dtype(one, np.float64) for one in others(network, seed, seconds)]
        usable = [one for one in ways if runs(one, seconds)]
        found += [(one, True) for one in usable[:1]] or [(one, False) for one in ways]
    return found


def runs(network: Network, seconds: float) -> bool:
    """Say whether the passes of a Network run, and give a loss that is a number."""
    try:
        with at_most(seconds):
            return bool(np.isfinite(run_hand_written(network)["loss"]).all())
    except (Exception, TooLong):
        return False


def others(network: Network, seed: int, seconds: float) -> Iterator[Network]:
    """Yield the same network with other weights and data: of other sizes first, if it has sizes."""
    if network.redraw is not None:
        with contextlib.suppress(Exception, TooLong):  # heads that have to divide a width, say
            with at_most(seconds):
                drawn_anew = network.redraw(seed)
            yield drawn_anew
    yield redrawn(network, np.random.default_rng(seed))


def redrawn(network: Network, rng: np.random.Generator) -> Network:
    """Return a network with numbers of the same kind and size for its weights and data."""
    params = {name: drawn(w, rng) for name, w in network.params.items()}
    again = replace(
        network,
        params=params,
        x=mapped(lambda array: drawn(array, rng), network.x),
        y=drawn(network.y, rng),
    )
    return with_own_forward(again)


def with_own_forward(network: Network) -> Network:
    """Return a Network whose own forward pass, where that is the reference, has its weights."""
    reference = network.reference
    if reference is None or not isinstance(model := reference.model, OwnForward):
        return network
    again = OwnForward(model.programme, network, list(model.at))
    return replace(network, reference=replace(reference, model=again, loss_fn=again.loss))


def drawn(array, rng):
    """Return other numbers like those of an array: labels stay labels, what is positive stays so.

    Whole numbers are put in another order, by rows; what is 0 everywhere, a bias say, is not after.
    """
    if array.dtype.kind != "f" or not array.size:
        return rng.permutation(array) if array.ndim else array
    if not array.any():
        return rng.standard_normal(array.shape).astype(array.dtype) / 4
    if are_whole(array) and np.ptp(array):
        return rng.permutation(array) if array.ndim else array
    if (array >= 0).all():
        mixed = rng.permutation(array.reshape(-1)).reshape(array.shape)
        return (mixed * rng.uniform(0.5, 1.5, array.shape)).astype(array.dtype)
    size = np.sqrt(np.square(array[np.isfinite(array)], dtype=np.float64).mean())
    return (size * rng.standard_normal(array.shape)).astype(array.dtype)


def longest_side(network: Network) -> int:
    """Return the longest side of any array that goes into a network."""
    inputs = named_inputs(network.x).values()
    return max(max(array.shape, default=1) for array in (*network.params.values(), *inputs))


def with_fewer_rows(network: Network) -> Network | None:
    """Return a network with many rows on few of them, or on another draw; None if it cannot be."""
    rows = len(network.y) if network.y.ndim else 0

    def cut(array):
        return array[:ROWS] if array.ndim and len(array) == rows else array

    x = mapped(cut, network.x)
    few = with_own_forward(replace(network, x=x, y=cut(network.y)))
    others = [few] if network.redraw is None else [network.redraw(0), few]
    usable = (
        in_dtype(one, np.float64) for one in others if longest_side(one) < longest_side(network)
    )
    return next((one for one in usable if runs(one, PATIENCE)), None)
