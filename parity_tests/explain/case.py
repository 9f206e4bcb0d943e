"""A wrong quantity at hand, and whether an array explains it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from parity_tests.compare.steps import Steps


@dataclass(frozen=True)
class Case:
    """One wrong quantity: the hand-written array, and what the reference makes of its inputs."""

    steps: Steps
    name: str

    @cached_property
    def ours(self):
        """The hand-written array, in float64."""
        return self.steps.given[self.name].astype(np.float64)

    @cached_property
    def theirs(self):
        """The array that is right, given the same inputs, in float64."""
        return self.steps.computed[self.name].astype(np.float64)

    @property
    def allowed(self):
        """The step's tolerance."""
        return self.steps.allowed[self.name]

    @property
    def quantity(self):
        """The name of what this is the gradient of."""
        return self.name.removeprefix("grad_")

    @property
    def is_gradient(self):
        """Say whether this is a gradient."""
        return self.name.startswith("grad_")

    @property
    def rows(self):
        """The size n of the batch."""
        return len(self.steps.y)

    def fits(self, array):
        """Say whether the hand-written array is this one, up to rounding.

        An array with larger entries than the right one has larger rounding errors as well.
        """
        array = np.asarray(array, np.float64)
        if array.shape != self.ours.shape or not np.isfinite(array).all():
            return False
        largest = np.abs(self.theirs).max(initial=0.0)
        scale = max(1.0, np.abs(array).max(initial=0.0) / largest) if largest else 1.0
        return bool((np.abs(self.ours - array) <= self.allowed * scale).all())

    def given(self, name):
        """Return a hand-written array, what the reference has where there is none, or x."""
        return self.steps.x if name == "x" else self.steps.value(name)

    def recompute(self, replaced=None, saved=None):
        """Return what the reference makes of other inputs to this step."""
        return self.steps.attempt(self.name, replaced, saved)

    def inputs(self):
        """Return the names of the step's inputs that have a usable array, in order."""
        known = ["x", *self.steps.computed]
        return [name for name in known if name in self.steps.inputs(self.name)]
