"""A wrong quantity at hand, and whether an array explains it."""

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from handgrad.compare.steps import Steps
from handgrad.explain.arrays import fits_into, magnitude
from handgrad.explain.step import alone
from handgrad.explain.thresholds import ENTRIES_FOR_A_FIT, NOISY, TELLING, passes_for
from handgrad.run.hand_written import named_inputs
from handgrad.run.perturb import REFUSALS
from handgrad.run.reference import watched


@dataclass(frozen=True)
class Case:
    """One wrong quantity: the hand-written array, and what the reference makes of its inputs."""

    steps: Steps
    name: str
    changed_by: dict[str, bool] = field(default_factory=dict)
    slopes: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def actual(self):
        """The hand-written array, in float64."""
        return self.steps.actual[self.name].astype(np.float64)

    @cached_property
    def expected(self):
        """The array that is right, given the same inputs, in float64."""
        return self.steps.expected[self.name].astype(np.float64)

    @cached_property
    def tolerance(self):
        """The step's tolerance, that of its widest entry: another array has noise of its own."""
        return float(self.steps.tolerance(self.name).max(initial=0.0))

    @property
    def quantity(self):
        """The name of what this is the gradient of."""
        return self.name.removeprefix("grad_")

    @property
    def is_gradient(self):
        """Say whether this is a gradient."""
        return self.name.startswith("grad_")

    @property
    def y(self):
        """The targets."""
        return self.steps.network.y

    @property
    def rows(self):
        """The size n of the batch."""
        return len(self.y) if np.ndim(self.y) else 1

    @cached_property
    def data(self):
        """The inputs of the network by name."""
        return named_inputs(self.steps.network.x)

    @cached_property
    def apart(self):
        """How far each entry is from the right one."""
        return np.abs(self.actual - self.expected)

    @cached_property
    def is_telling(self):
        """Say whether the difference is so large that one explanation can be told from another.

        Where the tolerance is a sizable part of the entries, it can not: too much fits.
        """
        with np.errstate(invalid="ignore"):
            is_large = bool((self.apart > TELLING * self.tolerance).any())
        return is_large and not self.is_noisy(self.tolerance)

    def is_noisy(self, tolerance):
        """Say whether a tolerance is a sizable part of the entries, right or hand-written.

        It is where it is of all but a few: what one entry says, chance may say.
        """
        needed = min(self.actual.size, ENTRIES_FOR_A_FIT)
        arrays = [array for array in (self.expected, self.actual) if array.any()]
        return any((np.abs(array) > NOISY * tolerance).sum() < needed for array in arrays)

    def is_off_by(self, narrow):
        """Say whether the rounding of a narrower dtype is as much as this is off."""
        coarse = self.tolerance * float(np.finfo(narrow).eps) / self.steps.precision.eps
        return not self.is_noisy(coarse) and bool((self.apart <= coarse).all())

    @cached_property
    def worst(self):
        """The entry that is furthest off."""
        return np.unravel_index(np.argmax(self.apart), self.apart.shape)

    @cached_property
    def largest(self):
        """The largest magnitude of the right array."""
        return magnitude(self.expected)

    def fits(self, array):
        """Say whether the hand-written array is this one, up to rounding.

        An array with larger entries than the right one has larger rounding errors as well. The
        entry that is furthest off is asked first: it tells nearly always.
        """
        array = np.asarray(array)
        if array.shape != self.actual.shape or not np.isfinite(size := magnitude(array)):
            return False
        allowed = self.tolerance * (max(1.0, size / self.largest) if self.largest else 1.0)
        at_worst = np.broadcast_to(allowed, array.shape)[self.worst]
        if not abs(self.actual[self.worst] - float(array[self.worst])) <= at_worst:
            return False
        return bool((np.abs(self.actual - array) <= allowed).all())

    def is_right(self, array):
        """Say whether an array is the right one, up to rounding."""
        if array.shape != self.expected.shape:
            return False
        return bool((np.abs(array - self.expected) <= self.tolerance).all())

    def of(self, name):
        """Return the Case of another quantity."""
        return Case(self.steps, name)

    def given(self, name):
        """Return a hand-written array, what the reference has where there is none, or an input."""
        return self.data[name] if name in self.data else self.steps.value(name)

    @cached_property
    def alone(self):
        """What computes the step on its own, or None where that takes a whole pass.

        A user's own forward pass does: what stands for its values there computes nothing.
        """
        return None if self.is_own_forward else alone(self)

    @property
    def is_own_forward(self):
        """Say whether the reference is the user's own forward pass, and so has no modules."""
        return self.steps.network.reference.kind == "forward"

    @cached_property
    def passes(self):
        """As many whole passes as explaining this quantity may take."""
        return passes_for(self.steps)

    def recompute(self, replaced=None, saved=None):
        """Return what the reference makes of other inputs to this step.

        It is nan where the reference refuses them, or where so many passes have been made that
        another one would cost more than it may tell.
        """
        if self.alone is not None:
            try:
                return self.alone(replaced or {}, saved or {})
            except REFUSALS:
                return np.full(self.expected.shape, np.nan)
        if next(self.passes, None) is None:
            return np.full(self.expected.shape, np.nan)
        return self.steps.recompute(replaced, saved=saved or {})[self.name]

    def matters(self, name):
        """Say whether the step's result depends on one of its inputs."""
        array = self.given(name)
        if array.dtype.kind != "f":  # there is no telling what else may stand for whole numbers
            return True
        if name not in self.changed_by:
            other = self.recompute({name: 0.5 - array})
            self.changed_by[name] = not np.array_equal(other, self.expected)
        return self.changed_by[name]

    def follows(self, name):
        """Say whether a quantity is computed from this one, by one step or by many."""
        return name in self.followers

    @cached_property
    def followers(self):
        """The names of all that is computed from this quantity."""
        inputs = {other: self.steps.inputs(other) for other in self.steps.expected}
        found: set[str] = set()
        waiting = [self.name]
        while waiting:
            last = waiting.pop()
            new = {other for other in inputs if last in inputs[other]} - found
            found |= new
            waiting += new
        return found

    def known(self):
        """Return the names of all that there is, the inputs of the network first."""
        return [*self.data, *self.steps.expected]

    def inputs(self):
        """Return the names of the inputs that the step's result depends on, in order."""
        used = self.steps.inputs(self.name)
        return [name for name in self.known() if name in used and self.matters(name)]

    def alike(self):
        """Return the names of the other arrays of the same shape."""
        arrays = {name: self.given(name) for name in self.known() if name != self.name}
        return [n for n, a in arrays.items() if a is not None and a.shape == self.actual.shape]

    @cached_property
    def others(self):
        """All other arrays of several numbers that can be broadcast to this one's shape, by name.

        What is computed from this quantity is none of them: it explains nothing.
        """
        found = {}
        for name in self.known():
            array = self.given(name)
            if name == self.name or self.follows(name) or array is None or array.size < 2:
                continue
            if array.dtype.kind in "fb" and fits_into(array.shape, self.actual.shape):
                found[name] = np.asarray(array, np.float64)
        return found

    def is_parameter(self, name):
        """Say whether this is the name of a parameter."""
        return name in self.steps.network.reference.parameters

    def activations(self):
        """Yield each value computed entry by entry from this gradient's quantity, and its gradient.

        The gradient has the shape of this one.
        """
        if not self.is_gradient:
            return
        for user in self.steps.users(self.quantity):
            upstream = self.given(f"grad_{user}") if user != "loss" else None
            alone = self.steps.sources[user] == {self.quantity}
            if alone and upstream is not None and upstream.shape == self.actual.shape:
                yield user, upstream

    def uses(self):
        """Return the values computed from this gradient's quantity, where there are several."""
        users = self.uses_but_the_loss()
        return users if len(users) > 1 else []

    def uses_but_the_loss(self):
        """Return the values computed from this gradient's quantity, one or several."""
        users = self.steps.users(self.quantity) if self.is_gradient else []
        return [user for user in users if user != "loss"]

    @cached_property
    def contributions(self):
        """What comes back from each use of this gradient's quantity, `loss` among them; by name.

        A pass each, and none where there is but one use; empty where so many may not be made.
        """
        users = self.steps.users(self.quantity) if self.is_gradient else []
        if len(users) <= 1:
            return dict.fromkeys(users, self.expected)
        found = {user: self.coming_back(only=user) for user in users if user != "loss"}
        if "loss" in users:
            found["loss"] = self.expected - sum(found.values())
        return found if all(np.isfinite(array).all() for array in found.values()) else {}

    def coming_back(self, only):
        """Return what comes back from one use alone: the rest is what comes back without it."""
        gradient = f"grad_{only}"
        without = self.recompute({gradient: np.zeros_like(self.given(gradient))})
        return self.expected - without

    def slope_to(self, user):
        """Return what comes back from one use where each entry of its gradient is 1.

        It is None where what is computed from this quantity may have another shape, or where no
        further pass may be made.
        """
        if user not in self.slopes:
            given = {f"grad_{other}": 0.0 * self.given(f"grad_{other}") for other in self.uses()}
            ones = np.ones_like(self.given(user), dtype=np.float64)
            slope = self.recompute({**given, f"grad_{user}": ones})
            if "loss" in self.steps.users(self.quantity):
                slope = slope - self.contributions.get("loss", np.nan)
            self.slopes[user] = slope if np.isfinite(slope).all() else None
        return self.slopes[user]

    def module(self, value):
        """Return the module that gives a value, None where no single one does.

        What a module gives when it is called again has its name with _2, _3, ... behind it.
        """
        if self.is_own_forward:
            return None
        reference = self.steps.network.reference
        paths = {name: path for path, name in watched(reference).items()}
        path = paths.get(value, paths.get(re.sub(r"_\d+$", "", value)))
        return None if path is None else reference.model.get_submodule(path)
