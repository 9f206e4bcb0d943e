"""Two training runs side by side: how far the losses drift apart, and what rounding allows.

Each step starts from weights that the step before it rounded, so rounding errors add up and
the network amplifies them. How far they take the losses is measured like any other noise:
the run is repeated in float64 with the data and, at every step, the weights moved by some
last bits of the dtype under test.
"""

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from manual.training import step, train
from parity_tests import variants
from parity_tests.compare.devices import exact_float32
from parity_tests.compare.noise import SAFETY, jiggle
from parity_tests.compare.trace import like
from parity_tests.run import build_reference
from torch_ref.training import train as torch_train

DRAWS = 6  # more than for one pass: a draw meets another kink, or none

# All draws can miss one step, so the noise is taken over the steps around it as well.
WINDOW = 10


class Drift(NamedTuple):
    """Two training runs: the loss before each step, and how far rounding may take it.

    All are arrays of one float64 a step; `difference` and `tolerance` are absolute.
    """

    ours: np.ndarray
    theirs: np.ndarray
    difference: np.ndarray
    tolerance: np.ndarray

    @property
    def scale(self):
        """What to divide by for a relative difference: |theirs|, or 1 where that cannot be."""
        usable = np.isfinite(self.theirs) & (self.theirs != 0)
        return np.where(usable, np.abs(self.theirs), 1.0)


def train_variant(name, device="cpu", dtype="float64", seed=0, sizes=None, progress=iter):
    """Run the notebook's training of a variant on both sides, and return the Drift.

    `sizes` is a dict such as n=64, h1=16 of those that are not the notebook's.
    """
    params, x, y = variants.draw(name, seed, np.dtype(dtype), **(sizes or {}))
    network = variants.manual_side(name)
    ours, theirs = train_both(name, params, x, y, network.LEARNING_RATES, device, progress)
    allowed = loss_tolerance(network, params, x, y, network.LEARNING_RATES)
    return Drift(ours, theirs, apart(ours, theirs), allowed)


def train_both(name, params, x, y, learning_rates, device="cpu", progress=iter):
    """Train a variant's two versions from the same weights, one step for each learning rate.

    `progress` wraps the learning rates of each side in turn, to show how far it is. Returns
    two arrays: the losses before each step, of the hand-written version and of PyTorch's.
    """
    network = variants.manual_side(name)
    with np.errstate(over="ignore", invalid="ignore"), exact_float32():
        model, _, loss_fn = build_reference(name, params, device)[:3]
        _, ours = train(network, params, x, y, progress(learning_rates))
        rates = progress(learning_rates)
        theirs = torch_train(model, loss_fn, like(x, model), like(y, model), rates)
    return np.array(ours), np.array(theirs)


def apart(ours, theirs):
    """Return |ours - theirs| at each step: 0 where neither is finite, inf where just one is."""
    finite = np.isfinite(ours) & np.isfinite(theirs)
    result = np.where(np.isfinite(ours) == np.isfinite(theirs), 0.0, np.inf)
    return np.abs(np.subtract(ours, theirs, where=finite, out=result))


def loss_tolerance(network, params, x, y, learning_rates):
    """Return the largest difference of the loss before each step that rounding can explain."""
    with np.errstate(over="ignore", invalid="ignore"):
        runs = jiggled_trainings(network, params, x, y, learning_rates)
        _, exact = next(runs)
        noise = last_bits(x) * np.abs(exact)
        for _, losses in runs:
            noise = np.fmax(noise, np.abs(np.subtract(losses, exact)))
    finite = np.isfinite(noise)
    around = np.pad(np.where(finite, noise, 0), WINDOW, mode="edge")
    return np.where(finite, sliding_window_view(around, 2 * WINDOW + 1).max(axis=1), np.inf)


def weight_tolerances(network, params, x, y, learning_rates):
    """Return how far rounding can take each weight by the last step: a dict of numbers.

    As with any other quantity, one number for the whole array: all draws can miss one entry.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        runs = jiggled_trainings(network, params, x, y, learning_rates)
        exact, _ = next(runs)
        noise = {name: last_bits(x) * np.abs(w).max() for name, w in exact.items()}
        for weights, _ in runs:
            for name, w in weights.items():
                noise[name] = np.maximum(noise[name], np.abs(w - exact[name]).max())
    return {name: float(move) if np.isfinite(move) else np.inf for name, move in noise.items()}


def jiggled_trainings(network, params, x, y, learning_rates):
    """Train in float64, once as it is, then DRAWS times jiggled: yield weights and losses.

    Each draw moves the numbers by all the last bits that are allowed at once, rather than by
    one with the outcome multiplied: so it also meets the kinks that rounding may carry an entry
    across, where a run goes on from another gradient and both ways are right.
    """
    eps, tiny = last_bits(x), float(np.finfo(x.dtype).tiny)
    rng = np.random.default_rng(0)
    params = {name: np.asarray(w, np.float64) for name, w in params.items()}
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)

    def jiggled(array):
        return jiggle(array, eps, tiny, rng)

    yield train(network, params, x, y, learning_rates)
    for _ in range(DRAWS):
        x_draw, y_draw, weights, losses = jiggled(x), jiggled(y), params, []
        for learning_rate in learning_rates:
            weights = {name: jiggled(w) for name, w in weights.items()}
            values = network.forward(weights, x_draw, y_draw)
            losses.append(float(values["loss"]))
            grads = network.backward(weights, x_draw, y_draw, values)
            step(weights, grads, learning_rate)
        yield weights, losses


def last_bits(x):
    """Return the relative error that rounding is allowed, by the dtype and the rows of x."""
    return max(SAFETY, len(x) / 2) * float(np.finfo(x.dtype).eps)
