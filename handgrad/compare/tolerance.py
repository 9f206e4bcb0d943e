"""What rounding alone can do, measured: the tolerance of every comparison.

How far a quantity moves for each last bit of the dtype under test, when every number is moved a
little at random, is its noise; see `handgrad.run.perturb`. Tolerance = factor x noise.
"""

from collections.abc import Container, Iterator

import numpy as np

from handgrad.run.precision import Precision

Trace = dict[str, np.ndarray]


class Noise:
    """How far rounding can move each quantity of a run, measured as far as somebody asks.

    Before the first draw it is one last-bit step of a quantity's largest entry, or the smallest
    normal number; each draw can only add to it. So what is no more than rounding by an earlier
    measure is none by a later one, and draws are made only as long as a difference needs one.
    The noise is taken over the whole quantity, since all draws can miss one entry.

    `exact` is the trace in float64, `draws` yields perturbed ones and what scales their moves
    down to one last bit. The quantities in `exempt`, the parameters, are the same on both sides
    and get no tolerance.
    """

    def __init__(
        self,
        exact: Trace,
        draws: Iterator[tuple[Trace, float]],
        precision: Precision,
        exempt: Container[str],
    ):
        self.exact, self.draws, self.precision, self.exempt = exact, draws, precision, exempt
        self.largest = {name: max_finite(array) for name, array in exact.items()}
        eps, tiny = precision.eps, precision.tiny
        self.noise = {name: max(eps * size, tiny) for name, size in self.largest.items()}
        # The longest sum of a network runs over the rows of its largest array.
        sums = (array.size // max(min(array.shape, default=1), 1) for array in exact.values())
        self.factor = precision.factor(max(sums))

    def tolerance(self, name):
        """Return the largest difference of a quantity that rounding explains, as measured."""
        return 0.0 if name in self.exempt else self.factor * self.noise[name]

    def may_overflow(self, name):
        """Say whether rounding may carry a quantity beyond the largest number of the dtype."""
        return self.largest[name] * self.factor > self.precision.max

    def draw(self):
        """Measure the noise better, if there is a draw left; say whether there was."""
        drawn, scale = next(self.draws, (None, 0.0))
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
