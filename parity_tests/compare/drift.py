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
from parity_tests.compare.noise import jiggle
from parity_tests.compare.precision import PRECISIONS, arithmetic, precision_of, rounded
from parity_tests.compare.trace import like
from parity_tests.errors import InputError
from parity_tests.run import build_reference, draw, own_trace
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

    @property
    def ok(self):
        """True where rounding explains the difference at every step."""
        return bool((self.difference <= self.tolerance).all())

    @property
    def largest(self):
        """The largest relative difference at any step."""
        relative = self.difference / self.scale
        return float(relative[np.isfinite(self.tolerance)].max(initial=0.0))

    @property
    def overflows(self):
        """True where a loss is not finite."""
        return not (np.isfinite(self.ours).all() and np.isfinite(self.theirs).all())


def train_variant(name, device="cpu", dtype="float64", seed=0, sizes=None, progress=iter):
    """Run the notebook's training of a variant on both sides, and return the Drift.

    `sizes` is a dict such as n=64, h1=16 of those that are not the notebook's.
    """
    precision = PRECISIONS[dtype]
    params, x, y = draw(name, seed, precision, sizes)
    network = variants.manual_side(name)
    rates = network.LEARNING_RATES
    if not rates:
        raise InputError(f"LEARNING_RATES of manual/{name}.py is empty: it needs a step or more.")
    ours, theirs = train_both(name, params, x, y, rates, device, progress, precision)
    allowed = loss_tolerance(network, params, x, y, rates, precision)
    return Drift(ours, theirs, apart(ours, theirs), allowed)


def train_both(name, params, x, y, learning_rates, device="cpu", progress=iter, precision=None):
    """Train a variant's two versions from the same weights, one step for each learning rate.

    `progress` wraps the learning rates of each side in turn, to show how far it is. Returns
    two arrays: the losses before each step, of the hand-written version and of PyTorch's.
    """
    network = variants.manual_side(name)
    precision = precision or precision_of(params)
    check_trainable(name, network, params, x, y)
    with np.errstate(over="ignore", invalid="ignore"):
        _, ours = train(network, params, x, y, progress(learning_rates))
    rates = progress(learning_rates)
    return np.array(ours), train_reference(name, params, x, y, rates, device, precision)


def check_trainable(name, network, params, x, y):
    """Raise InputError where a hand-written network cannot be trained, so wrong is it."""
    given = own_trace(network, build_reference(name, params), params, x, y)
    for key, w in params.items():
        if given[f"grad_{key}"].shape != w.shape:
            raise InputError(
                f"{name} cannot be trained: `grad_{key}` has shape {given[f'grad_{key}'].shape}, "
                f"and `{key}` {w.shape}."
            )


def train_reference(name, params, x, y, learning_rates, device, precision):
    """Train a variant's PyTorch version; return its loss before each step, an array."""
    with arithmetic(precision, device):
        model, _, loss_fn = build_reference(name, params, device, precision)[:3]
        x, y = like(x, model), like(y, model)
        return np.array(torch_train(model, loss_fn, x, y, learning_rates))


def apart(ours, theirs):
    """Return |ours - theirs| at each step: 0 where neither is finite, inf where just one is."""
    finite = np.isfinite(ours) & np.isfinite(theirs)
    result = np.where(np.isfinite(ours) == np.isfinite(theirs), 0.0, np.inf)
    return np.abs(np.subtract(ours, theirs, where=finite, out=result))


def loss_tolerance(network, params, x, y, learning_rates, precision=None):
    """Return the largest difference of the loss before each step that rounding can explain.

    A dtype that NumPy lacks (bfloat16) is so short that most updates are lost, always in the
    same direction, which no random draw shows: there one run rounds its weights after each
    step, and its distance comes on top.
    """
    precision = precision or precision_of(params)
    with np.errstate(over="ignore", invalid="ignore"):
        runs = jiggled_trainings(network, params, x, y, learning_rates, precision)
        _, exact = next(runs)
        noise = last_bits(x, precision) * np.abs(exact)
        for _, losses in runs:
            noise = np.fmax(noise, np.abs(losses - exact))
        lost = np.zeros_like(noise)
        if precision.torch.itemsize < precision.numpy.itemsize:
            _, losses = train_moved(
                network, params, x, y, learning_rates, lambda w: rounded(w, precision)
            )
            lost = np.abs(losses - exact)
    # what the dtype may not hold, one run may have and the other not, and so all that follows
    finite = np.maximum.accumulate(exact) * precision.factor(len(x)) <= precision.max
    finite &= np.isfinite(noise) & np.isfinite(lost)
    around = np.pad(np.where(finite, noise, 0), WINDOW, mode="edge")
    around = sliding_window_view(around, 2 * WINDOW + 1).max(axis=1)
    return np.where(finite, around + lost, np.inf)


def weight_tolerances(network, params, x, y, learning_rates):
    """Return how far rounding can take each weight by the last step: a dict of numbers.

    As with any other quantity, one number for the whole array: all draws can miss one entry.
    """
    precision = precision_of(params)
    with np.errstate(over="ignore", invalid="ignore"):
        runs = jiggled_trainings(network, params, x, y, learning_rates, precision)
        exact, _ = next(runs)
        noise = {name: last_bits(x, precision) * np.abs(w).max() for name, w in exact.items()}
        for weights, _ in runs:
            for name, w in weights.items():
                noise[name] = np.maximum(noise[name], np.abs(w - exact[name]).max())
    return {name: float(move) if np.isfinite(move) else np.inf for name, move in noise.items()}


def jiggled_trainings(network, params, x, y, learning_rates, precision):
    """Train in float64, once as it is, then DRAWS times jiggled: yield weights and losses.

    Each draw moves the numbers by all the last bits that are allowed at once, rather than by
    one with the outcome multiplied: so it also meets the kinks that rounding may carry an entry
    across, where a run goes on from another gradient and both ways are right.
    """
    eps, rng = last_bits(x, precision), np.random.default_rng(0)

    def jiggled(array):
        return jiggle(np.asarray(array, np.float64), eps, precision.tiny, rng)

    yield train_moved(network, params, x, y, learning_rates, np.copy)
    for _ in range(DRAWS):
        yield train_moved(network, params, jiggled(x), jiggled(y), learning_rates, jiggled)


def train_moved(network, params, x, y, learning_rates, move):
    """Train in float64 with `move` applied to each weight before each step."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    weights, losses = params, []
    for learning_rate in learning_rates:
        weights = {name: move(w).astype(np.float64) for name, w in weights.items()}
        values = network.forward(weights, x, y)
        losses.append(float(values["loss"]))
        step(weights, network.backward(weights, x, y, values), learning_rate)
    return weights, np.array(losses)


def last_bits(x, precision):
    """Return the relative error that rounding is allowed, by the precision and the rows of x."""
    return precision.factor(len(x)) * precision.eps
