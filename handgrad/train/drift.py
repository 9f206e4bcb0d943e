"""Two training runs side by side: how far the losses drift apart, and what rounding allows.

Each step starts from weights that the step before it rounded, so rounding errors add up and
the network amplifies them. How far they take the losses is measured like any other noise:
the run is repeated in float64 with the data and, at every step, the weights moved by some
last bits of the dtype under test.
"""

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from torch import nn

from handgrad.compare.tolerance import factor
from handgrad.errors import InputError
from handgrad.load.gallery import imported
from handgrad.run.hand_written import named_inputs, run_hand_written
from handgrad.run.perturb import perturb
from handgrad.run.precision import PRECISIONS, arithmetic, as_tensor, mapped, rounded
from handgrad.run.reference import borrowed, put_parameters

DRAWS = 6  # more than for one pass: a draw meets another kink, or none

# All draws can miss one step, so the noise is taken over the steps around it as well.
WINDOW = 10


class Drift(NamedTuple):
    """Two training runs: the loss before each step, and how far rounding may take it.

    All are arrays of one float64 a step; `difference` and `tolerance` are absolute. `actual` are
    the hand-written losses, or of two records the first one's.
    """

    actual: np.ndarray
    expected: np.ndarray
    difference: np.ndarray
    tolerance: np.ndarray

    @property
    def scale(self):
        """What to divide by for a relative difference: |expected|, or 1 where that cannot be."""
        usable = np.isfinite(self.expected) & (self.expected != 0)
        return np.where(usable, np.abs(self.expected), 1.0)

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
        return not (np.isfinite(self.actual).all() and np.isfinite(self.expected).all())


def train_both_sides(network, learning_rates, dtype="float64", device="cpu", progress=iter):
    """Train both sides of a gallery Network from the same weights, and return the Drift.

    One step is taken for each learning rate; `progress` wraps these for each side in turn, to
    show how far it is.
    """
    precision = PRECISIONS[dtype]
    check_trainable(network)
    with np.errstate(over="ignore", invalid="ignore"):
        _, actual = train_hand_written(network, progress(learning_rates))
    expected = train_reference(network, progress(learning_rates), precision, device)
    tolerance = loss_tolerance(network, learning_rates, precision)
    return Drift(actual, expected, apart(actual, expected), tolerance)


def check_trainable(network):
    """Raise InputError where a hand-written network cannot be trained, so wrong is it."""
    trace = run_hand_written(network)
    for key, w in network.params.items():
        grad = trace.get(f"grad_{key}")
        if grad is None or grad.shape != w.shape:
            found = "missing" if grad is None else f"of shape {grad.shape}"
            raise InputError(
                f"{network.name} cannot be trained: `grad_{key}` is {found}, and `{key}` has "
                f"shape {w.shape}."
            )


def train_hand_written(network, learning_rates):
    """Train a Network's hand-written side; return its weights after it, and its losses."""
    params, x, y = mapped(np.ndarray.copy, (network.params, network.x, network.y))
    train = imported("manual.training").train
    weights, losses = train(network, params, x, y, learning_rates)
    return weights, np.array(losses)


def train_reference(network, learning_rates, precision, device="cpu"):
    """Train a Network's PyTorch version; return its loss before each step, an array."""
    train = imported("torch_ref.training").train
    reference, dtype = network.reference, precision.torch
    with (
        arithmetic(precision, device),
        borrowed(reference.model, dtype, device) as parameters,
    ):
        put_parameters(network, parameters, dtype, device)
        x = tuple(as_tensor(x, dtype, device) for x in named_inputs(network.x).values())
        y = as_tensor(network.y, dtype, device)
        return np.array(train(Unpacking(reference.model), reference.loss_fn, x, y, learning_rates))


class Unpacking(nn.Module):
    """A module that takes its inputs as one tuple, as the training loop hands them on."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        """Call the module with the inputs one by one."""
        return self.model(*x)


def apart(actual, expected):
    """Return |actual - expected| at each step: 0 where neither is finite, inf where just one is."""
    finite = np.isfinite(actual) & np.isfinite(expected)
    result = np.where(np.isfinite(actual) == np.isfinite(expected), 0.0, np.inf)
    return np.abs(np.subtract(actual, expected, where=finite, out=result))


def loss_tolerance(network, learning_rates, precision):
    """Return the largest difference of the loss before each step that rounding can explain.

    A dtype that NumPy lacks (bfloat16) is so short that most updates are lost, always in the
    same direction, which no random draw shows: there one run rounds its weights after each
    step, and its distance comes on top.
    """
    allowed = last_bits(network, precision)
    with np.errstate(over="ignore", invalid="ignore"):
        runs = perturbed_trainings(network, learning_rates, precision)
        _, exact = next(runs)
        noise = allowed * np.abs(exact)
        for _, losses in runs:
            noise = np.fmax(noise, np.abs(losses - exact))
        lost = np.zeros_like(noise)
        if precision.torch.itemsize < precision.numpy.itemsize:
            rounding = train_moved(network, learning_rates, lambda w: rounded(w, precision))
            lost = np.abs(rounding[1] - exact)
    # what the dtype may not hold, one run may have and the other not, and so all that follows
    finite = np.maximum.accumulate(exact) * (allowed / precision.eps) <= precision.max
    finite &= np.isfinite(noise) & np.isfinite(lost)
    around = np.pad(np.where(finite, noise, 0), WINDOW, mode="edge")
    around = sliding_window_view(around, 2 * WINDOW + 1).max(axis=1)
    return np.where(finite, around + lost, np.inf)


def weight_tolerances(network, learning_rates, precision):
    """Return how far rounding can take each weight by the last step: a dict of numbers.

    As with any other quantity, one number for the whole array: all draws can miss one entry.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        runs = perturbed_trainings(network, learning_rates, precision)
        exact, _ = next(runs)
        allowed = last_bits(network, precision)
        noise = {name: allowed * np.abs(w).max() for name, w in exact.items()}
        for weights, _ in runs:
            for name, w in weights.items():
                noise[name] = np.maximum(noise[name], np.abs(w - exact[name]).max())
    return {name: float(move) if np.isfinite(move) else np.inf for name, move in noise.items()}


def perturbed_trainings(network, learning_rates, precision):
    """Train in float64, once as it is, then DRAWS times perturbed: yield weights and losses.

    Each draw moves the numbers by all the last bits that are allowed at once, rather than by
    one with the outcome multiplied: so it also meets the kinks that rounding may carry an entry
    across, where a run goes on from another gradient and both ways are right.
    """
    eps, rng = last_bits(network, precision), np.random.default_rng(0)

    def moved(array):
        return perturb(np.asarray(array, np.float64), eps, precision.tiny, rng)

    yield train_moved(network, learning_rates, np.copy)
    for _ in range(DRAWS):
        yield train_moved(network, learning_rates, moved)


def train_moved(network, learning_rates, move):
    """Train in float64 with `move` applied to the data, and to each weight before each step.

    Returns the weights after the last step and the loss before each.
    """
    step = imported("manual.training").step
    x, y = moved_data(network.x, move), moved_data(network.y, move)
    weights, losses = network.params, []
    for learning_rate in learning_rates:
        weights = {name: move(w).astype(np.float64) for name, w in weights.items()}
        values = network.forward(weights, x, y)
        losses.append(float(values["loss"]))
        step(weights, network.backward(weights, x, y, values), learning_rate)
    return weights, np.array(losses)


def moved_data(data, move):
    """Return data in float64, moved; whole numbers stay as they are."""
    return mapped(lambda a: move(a).astype(np.float64) if a.dtype.kind == "f" else a, data)


def last_bits(network, precision):
    """Return the relative error that rounding is allowed, by the precision and the rows of x."""
    first = next(iter(named_inputs(network.x).values()))
    return factor(precision, len(first)) * precision.eps
