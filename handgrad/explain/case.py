"""A wrong quantity at hand, and whether an array explains it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from handgrad.compare.steps import Steps
from handgrad.run.hand_written import named_inputs
from handgrad.run.reference import watched


@dataclass(frozen=True)
class Case:
    """One wrong quantity: the hand-written array, and what the reference makes of its inputs."""

    steps: Steps
    name: str

    @cached_property
    def actual(self):
        """The hand-written array, in float64."""
        return self.steps.actual[self.name].astype(np.float64)

    @cached_property
    def expected(self):
        """The array that is right, given the same inputs, in float64."""
        return self.steps.expected[self.name].astype(np.float64)

    @property
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

    def fits(self, array):
        """Say whether the hand-written array is this one, up to rounding.

        An array with larger entries than the right one has larger rounding errors as well.
        """
        array = np.asarray(array, np.float64)
        if array.shape != self.actual.shape or not np.isfinite(array).all():
            return False
        largest = np.abs(self.expected).max(initial=0.0)
        scale = max(1.0, np.abs(array).max(initial=0.0) / largest) if largest else 1.0
        return bool((np.abs(self.actual - array) <= self.tolerance * scale).all())

    def given(self, name):
        """Return a hand-written array, what the reference has where there is none, or an input."""
        return self.data[name] if name in self.data else self.steps.value(name)

    def recompute(self, replaced=None, saved=None):
        """Return what the reference makes of other inputs to this step."""
        return self.steps.recompute(replaced, saved=saved or {})[self.name]

    def known(self):
        """Return the names of all that there is, the inputs of the network first."""
        return [*self.data, *self.steps.expected]

    def inputs(self):
        """Return the names of the step's inputs that have a usable array, in order."""
        used = self.steps.inputs(self.name)
        return [name for name in self.known() if name in used]

    def alike(self):
        """Return the names of the other arrays of the same shape."""
        arrays = {name: self.given(name) for name in self.known() if name != self.name}
        return [n for n, a in arrays.items() if a is not None and a.shape == self.actual.shape]

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
        users = self.steps.users(self.quantity) if self.is_gradient else []
        users = [user for user in users if user != "loss"]
        return users if len(users) > 1 else []

    def module(self, value):
        """Return the module that gives a value, None where no single one does."""
        reference = self.steps.network.reference
        for path, name in watched(reference).items():
            if name == value:
                return reference.model.get_submodule(path)
        return None
