"""A hand-written trace beside what the reference makes of each of its steps."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from handgrad.compare.tolerance import apart_of, noise_of
from handgrad.run.hand_written import named_inputs, packed
from handgrad.run.perturb import REFUSALS
from handgrad.run.precision import FLOAT64
from handgrad.run.reference import Substitute, run_reference


class Steps:
    """A hand-written trace beside what the reference makes of each of its steps.

    Attributes:
        network: the Network, with its reference.
        actual: the hand-written trace.
        expected: what the reference computed in each step, a trace in the order of computing.
        sources: for each value and the loss, the names of what it was computed from.
        cut_off: the values and the loss whose step has a function that PyTorch cuts off.
        smooth: the values and the loss whose step has no kink.
        noise: the Noise of each step, and with it `tolerance(name)`.
        has_constants: whether the reference computes in float64 with numbers in float32.
        notes: sentences on how it was judged.
    """

    notes: Sequence[str] = ()
    has_constants = False

    def __init__(self, network, actual, precision, device="cpu", by_entry=True):
        self.network, self.actual = network, actual
        self.precision, self.device = precision, device
        given = Substitute(actual)
        run = exact = run_reference(network, precision, device, given)
        if not is_exact(precision, device):
            exact = run_reference(network, FLOAT64, substitute=given)
        self.expected, self.sources, self.cut_off = run.quantities, run.sources, run.cut_off
        self.smooth = run.smooth
        self.noise = noise_of(network, precision, exact, actual, by_entry=by_entry)

    def tolerance(self, name):
        """Return the tolerance of a step, as it is measured so far."""
        return self.noise.tolerance(name)

    def recompute(self, replaced=None, precision=None, **how):
        """Make the pass with some of the hand-written quantities replaced, and return its trace.

        `replaced` maps names, also of parameters and inputs, to the arrays that go on in their
        place, `precision` is what it computes in, if that is another one; for the rest see
        Substitute. All is nan where the reference refuses.
        """
        replaced = replaced or {}
        network = replace_data(self.network, replaced)
        substitute = Substitute({**self.actual, **replaced}, **how)
        device = self.device if precision is None else "cpu"
        try:
            run = run_reference(network, precision or self.precision, device, substitute)
        except REFUSALS:  # a loss that takes no number beyond 1, say
            return {n: np.full_like(e, np.nan, np.float64) for n, e in self.expected.items()}
        return run.quantities

    def users(self, name):
        """Return the names of the values, or `loss`, that were computed from this one."""
        return [user for user, sources in self.sources.items() if name in sources]

    def inputs(self, name):
        """Return the names of all that the step that gives this quantity may have used."""
        if not name.startswith("grad_"):
            return set(self.sources.get(name, ()))
        found = set()
        for user in self.users(name.removeprefix("grad_")):
            found |= {user, f"grad_{user}"} | self.sources[user]
        return found - {"loss", "grad_loss"}

    def value(self, name):
        """Return the hand-written quantity, or where there is none what the reference has.

        That of an input is the input.
        """
        array = self.actual.get(name, self.expected.get(name))
        return named_inputs(self.network.x).get(name) if array is None else array

    def apart(self, name, expected):
        """Return how far a hand-written quantity is from `expected`, entry by entry.

        Where the reference overflows in a narrow dtype, its run in float64 has the right number.
        Where that one is not finite either, nothing is known of the entry. What has overflowed is
        infinite, and 0 times that is nan; what is near the end of the range may have overflowed on
        the way, if any of the reference has. Where neither is so, what is not finite is wrong.
        """
        actual, exact, noise = self.actual[name], self.noise.exact[name], self.noise
        if actual is expected:  # a parameter
            return np.broadcast_to(0.0, actual.shape)
        apart = apart_of(actual, expected)
        if actual.shape != expected.shape or np.isfinite(apart).all():
            return apart
        around = {name, *self.inputs(name)}.intersection(noise.exact)
        large = {other for other in around if noise.may_overflow(other)}
        known, lost = np.where(np.isfinite(expected), expected, exact), ~np.isfinite(actual)
        reached = {other: expected if other == name else self.value(other) for other in large}
        if not all(np.isfinite(array).all() for array in reached.values()):
            lost[...] = False
        elif large:
            is_beyond = np.abs(exact) + self.tolerance(name) > self.precision.max
            lost &= ~is_beyond
        return np.where(lost, apart, apart_of(actual, known, True))


def replace_data(network, replaced):
    """Return a Network with some of its parameters and inputs replaced."""
    params = {name: replaced.get(name, w) for name, w in network.params.items()}
    inputs = {name: replaced.get(name, x) for name, x in named_inputs(network.x).items()}
    return replace(network, params=params, x=packed(inputs, network.x))


def is_exact(precision, device):
    """Say whether a run is computed as the noise is: in float64 on the CPU."""
    return precision.name == "float64" and str(device) == "cpu"
