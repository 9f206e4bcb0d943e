"""What rounding alone can do, measured: the tolerance of every comparison.

How far a quantity moves for each last bit of the dtype under test, when every number is moved a
little at random, is its noise; see `handgrad.run.perturb`. Tolerance = factor x noise.
"""

from collections.abc import Callable, Container, Iterator
from functools import partial

import numpy as np

from handgrad.run.perturb import perturbed_runs
from handgrad.run.precision import FLOAT32, FLOAT64, Precision
from handgrad.run.reference import Run, run_reference

Trace = dict[str, np.ndarray]


def noise_of(network, precision, exact: Run | None = None, given=None, exempt=None, unscaled=0):
    """Return the Noise of a Network's reference in `precision`.

    `exact` is its run in float64, made where it is not at hand, and `given` what went on in it in
    place of what was computed. Exempt are the parameters, unless `exempt` says otherwise. For
    `unscaled` see `perturbed_runs`.
    """
    exact = exact or run_reference(network, FLOAT64)
    draws = partial(perturbed_runs, network, precision, exact, given or {}, unscaled)
    exempt = network.params if exempt is None else exempt
    return Noise(exact.quantities, draws, precision, exempt)


def factor(precision, terms):
    """Return how many times the noise is allowed where the longest sum has so many terms.

    Rounding in a sum mostly cancels out, but where the terms are alike (repeated rows, labels
    of 0 and 1) each partial sum rounds the same way, and half as many last bits as there are
    terms is what adding them one by one can be off.
    """
    last_bit = min(precision.eps, FLOAT32.eps)  # of what the sums are kept in
    return max(precision.safety, terms / 2 * last_bit / precision.eps)


class Noise:
    """How far rounding can move each quantity of a run, measured as far as somebody asks.

    Before the first draw it is one last-bit step of a quantity's largest entry, or the smallest
    normal number; each draw can only add to it. So what is no more than rounding by an earlier
    measure is none by a later one, and draws are made only as long as a difference needs one.
    The noise is taken over the whole quantity, since all draws can miss one entry.

    `exact` is the trace in float64, `draws` starts the perturbed ones: traces, each with what
    scales its moves down to one last bit. The quantities in `exempt`, the parameters, are the
    same on both sides and get no tolerance.
    """

    def __init__(
        self,
        exact: Trace,
        draws: Callable[[], Iterator[tuple[Trace, float]]],
        precision: Precision,
        exempt: Container[str],
    ):
        self.exact, self.precision, self.exempt = exact, precision, exempt
        self.draws = draws
        self.drawing: Iterator[tuple[Trace, float]] | None = None
        self.largest = {name: max_finite(array) for name, array in exact.items()}
        eps, tiny = precision.eps, precision.tiny
        self.noise = {name: max(eps * size, tiny) for name, size in self.largest.items()}
        # A product or a sum over the rows runs along the longest side of an array; the loss, over
        # all entries, is added up pairwise on both sides.
        sums = (array.size // max(min(array.shape, default=1), 1) for array in exact.values())
        self.factor = factor(precision, max(sums))

    def tolerance(self, name):
        """Return the largest difference of a quantity that rounding explains, as measured."""
        return 0.0 if name in self.exempt else self.factor * self.noise[name]

    def may_overflow(self, name):
        """Say whether rounding may carry a quantity beyond the largest number of the dtype."""
        return self.largest[name] * self.factor > self.precision.max

    def draw(self):
        """Measure the noise better, if there is a draw left; say whether there was."""
        self.drawing = self.drawing or self.draws()
        drawn, scale = next(self.drawing, (None, 0.0))
        if drawn is None:
            return False
        for name, array in self.exact.items():
            move = max_finite(drawn[name] - array) * scale
            self.noise[name] = max(self.noise[name], move)
        return True

    def draw_all(self):
        """Measure the noise as well as it can be, and return self."""
        while self.draw():
            pass
        return self

    def explains(self, name, difference):
        """Say whether rounding explains a difference; draws are made as long as one is needed."""
        while difference > self.tolerance(name) and self.draw():
            pass
        return difference <= self.tolerance(name)


def max_finite(array):
    """Return the largest finite magnitude in an array, 0 where there is none."""
    magnitudes = np.abs(np.atleast_1d(array))
    return float(magnitudes[np.isfinite(magnitudes)].max(initial=0.0))


def largest_difference(actual, expected, overflowed=False):
    """Return the largest difference between two arrays, over the entries finite in both.

    It is inf where the shapes differ and, unless they `overflowed`, where an entry is finite
    on one side only.
    """
    if actual.shape != expected.shape:
        return float("inf")
    finite = np.isfinite(actual) & np.isfinite(expected)
    if not overflowed and (np.isfinite(actual) != np.isfinite(expected)).any():
        return float("inf")
    apart = np.zeros(actual.shape)
    np.subtract(actual, expected, dtype=np.float64, where=finite, out=apart)
    return float(np.abs(apart).max(initial=0.0))
