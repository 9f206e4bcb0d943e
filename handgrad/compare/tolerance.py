"""What rounding alone can do, measured: the tolerance of every comparison.

How far an entry moves for each last bit of the dtype under test, when every number is moved a
little at random, is its noise; see `handgrad.run.perturb`. Tolerance = factor x noise.
"""

from collections.abc import Callable, Collection, Container, Iterator, Mapping
from functools import partial

import numpy as np

from handgrad.compare.sizes import finite, max_finite, max_of, pooled, typical
from handgrad.run.graph import along_longest_side
from handgrad.run.perturb import Drawn, chaotic_runs, perturbed_runs
from handgrad.run.precision import FLOAT32, FLOAT64, Precision
from handgrad.run.reference import Run, run_reference

Trace = dict[str, np.ndarray]

# No draw makes of another's noise ten thousand times as much: further ones would change nothing.
HOPELESS = 1e4
ENOUGH = 4  # draws before that is said: one of each kind
BEYOND = 1e8  # so far off, what is wrong by its own step gets no draw in the whole run


def noise_of(network, precision, exact: Run | None = None, given=None, exempt=None, by_entry=True):
    """Return the Noise of a Network's reference in `precision`.

    `exact` is its run in float64, made where it is not at hand, and `given` what went on in it in
    place of what was computed: then each step has its own noise, entry by entry unless `by_entry`
    says otherwise. Without it the noise is that of the whole run, over each whole array. Exempt
    are the parameters, unless `exempt` says otherwise.
    """
    exact = exact or run_reference(network, FLOAT64)
    around = (network, precision, exact, given)
    draws, chaotic = partial(perturbed_runs, *around), partial(chaotic_runs, *around)
    exempt = network.params if exempt is None else exempt
    sums = exact.sums if given else longest_sums(exact.quantities)
    is_by_entry = by_entry and given is not None
    return Noise(exact.quantities, draws, precision, exempt, sums, is_by_entry, chaotic)


def longest_sums(trace: Trace):
    """Return for each quantity of a whole run how many terms the longest sum behind it may have."""
    longest = max(along_longest_side(array.shape) for array in trace.values())
    return dict.fromkeys(trace, longest)


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

    Before the first draw it is one last-bit step of an entry, or of a typical one where it is
    smaller, or the smallest normal number; each draw can only add to it. So what is no more than
    rounding by an earlier measure is none by a later one, and draws are made only as long as a
    difference needs one, of the quantities that need it.

    `exact` is the trace in float64, `draws` starts the perturbed ones. The quantities in
    `exempt`, the parameters, are the same on both sides and get no tolerance. `sums` has for each
    quantity how many terms the longest sum behind it has. With `by_entry` the noise is taken
    entry by entry, so that small entries are not hidden behind large ones; else it is that of the
    whole array. (With a factor of 8, as in bfloat16, all draws can miss an entry: there always.)
    `chaotic` starts the runs for what amplifies whatever it gets.
    """

    def __init__(
        self,
        exact: Trace,
        draws: Callable[[], Iterator[Drawn]],
        precision: Precision,
        exempt: Container[str],
        sums: Mapping[str, int],
        by_entry: bool = False,
        chaotic: Callable[[], Iterator[Drawn]] = lambda: iter(()),
    ):
        self.exact, self.precision, self.exempt = exact, precision, exempt
        self.draws, self.chaotic, self.sums = draws, chaotic, sums
        self.by_entry = by_entry and precision.safety > 8
        self.drawing: Iterator[Drawn] | None = None
        self.count = 0  # of the draws so far
        self.largest = {name: max_finite(array) for name, array in exact.items()}
        self.moves: dict[str, np.ndarray] = {}
        self.floors: dict[str, np.ndarray] = {}

    def factor(self, name):
        """Return how many times its noise a quantity is allowed to be off."""
        return factor(self.precision, self.terms(name))

    def terms(self, name):
        """Return how many terms the longest sum behind a quantity has: 1 where there is none."""
        return self.sums.get(name, 1)

    def floor(self, name):
        """Return the least noise of a quantity's entries: of each row, or of all.

        It is one last-bit step of a typical entry, or the smallest normal number.
        """
        if name not in self.floors:
            largest = self.largest[name]
            size = typical(self.exact[name], largest) if self.by_entry else np.asarray(largest)
            self.floors[name] = np.maximum(self.precision.eps * size, self.precision.tiny)
        return self.floors[name]

    def noise(self, name):
        """Return the noise of a quantity as it is measured so far: of each entry, or of all."""
        noise = np.array(self.floor(name))
        if self.by_entry:
            noise = finite(self.exact[name])
            noise *= self.precision.eps
            np.maximum(noise, self.floor(name), out=noise)
        if name in self.moves:
            np.maximum(noise, self.moves[name], out=noise)
        return noise

    def tolerance(self, name):
        """Return the largest difference that rounding explains, of each entry or of all.

        It is inf where rounding may carry a number beyond the dtype's range.
        """
        if name in self.exempt:
            return np.zeros(())
        allowed = self.noise(name)
        np.multiply(allowed, self.factor(name), out=allowed)
        if max_of(allowed) > self.precision.max:
            allowed[allowed > self.precision.max] = np.inf
        return allowed

    def may_overflow(self, name):
        """Say whether rounding may carry a quantity beyond the largest number of the dtype."""
        return self.largest[name] * self.factor(name) > self.precision.max

    def draw(self, names: Collection[str]):
        """Measure the noise of some quantities better; say whether there was a draw left."""
        self.drawing = self.drawing or self.draws()
        drawn = next(self.drawing, None)
        if drawn is None:
            return False
        self.count += 1
        self.take(drawn, names)
        return True

    def take(self, drawn: Drawn, names: Collection[str]):
        """Take how far some quantities moved in a draw into their noise."""
        for name in names:
            exact = self.exact[name]
            move = np.asarray(np.abs(np.subtract(drawn.trace.get(name, exact), exact)))
            if not np.isfinite(move.sum()):
                move[~np.isfinite(move)] = 0
            if drawn.underflow:
                size = np.abs(exact)
                move[(size < drawn.underflow) & (move < drawn.underflow)] = 0
            self.add(name, move * drawn.scale)

    def add(self, name, move):
        """Take a move of each entry into the noise of a quantity."""
        if not self.by_entry:
            move = np.asarray(move.max(initial=0.0))
        elif self.terms(name) > 1:
            move = np.maximum(move, pooled(move))
        self.moves[name] = np.maximum(move, self.moves.get(name, 0.0))

    def draw_all(self):
        """Measure the noise as well as it can be, and return self."""
        while self.draw(self.exact):
            pass
        return self

    def unexplained(self, apart: Mapping[str, np.ndarray], wrong: Container[str] = ()):
        """Return the names of the quantities whose differences rounding does not explain.

        `apart` has the differences of each, entry by entry. Draws are made as long as one is
        needed, and might help; not for what is `wrong` anyhow and far off.
        """
        left = [name for name in apart if not self.explains(name, apart[name])]
        far = [n for n in left if n in wrong and self.is_beyond(n, apart[n], BEYOND)]
        left = [name for name in left if name not in far]
        while left and not all(self.is_hopeless(name, apart[name]) for name in left):
            if not self.draw(left):
                break
            left = [name for name in left if not self.explains(name, apart[name])]
        return [*far, *left]

    def unexplained_by_chaos(self, apart: Mapping[str, np.ndarray]):
        """Return the names of what moves of one last bit, as they are, do not explain either.

        `apart` has the differences of those that `unexplained` leaves.
        """
        left, draws = list(apart), self.chaotic()
        while not all(self.is_hopeless(name, apart[name]) for name in left):
            if (drawn := next(draws, None)) is None:
                break
            self.take(drawn, left)
            left = [name for name in left if not self.explains(name, apart[name])]
        return left

    def explains(self, name, apart):
        """Say whether rounding, as it is measured so far, explains the differences."""
        if not (largest := max_of(apart)):
            return True
        if name not in self.exempt and largest <= self.factor(name) * self.floor(name).min():
            return True
        return bool((apart <= self.tolerance(name)).all())

    def is_hopeless(self, name, apart):
        """Say whether differences are so large that no further draw could explain them.

        In a short precision nothing is proportional, and one may; and so may one where what differs
        is less than half the digits of the largest number there is: that may be the rest of a sum
        that cancels, whose terms have no names, and which comes to exactly 0 in some draws.
        """
        if self.count < ENOUGH or self.precision.safety <= 8:
            return False
        rest = self.precision.eps**0.5 * max(self.largest.values())
        if max_of(apart) <= rest:
            return False
        return self.is_beyond(name, apart, HOPELESS)

    def is_beyond(self, name, apart, times):
        """Say whether a difference is so many times what rounding explains of any entry."""
        return max_of(apart) > times * max_of(self.tolerance(name))


def apart_of(actual, expected, overflowed=False):
    """Return how far two arrays are apart, entry by entry, in float64.

    It is inf everywhere where the shapes differ and, unless they `overflowed`, in an entry that
    is finite on one side only. Where neither side is finite, it is 0.
    """
    if actual.shape != expected.shape:
        return np.full(expected.shape, np.inf)
    apart = np.asarray(np.subtract(actual, expected, dtype=np.float64))
    np.abs(apart, out=apart)
    if not np.isfinite(apart.sum()):
        one, other = np.isfinite(actual), np.isfinite(expected)
        apart[~(one & other)] = 0.0
        if not overflowed:
            apart[one != other] = np.inf
    return apart


def largest_difference(actual, expected, overflowed=False):
    """Return the largest difference between two arrays: see `apart_of`."""
    return max_of(apart_of(actual, expected, overflowed)) if expected.size else 0.0
