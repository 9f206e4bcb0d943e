"""Step parity: each quantity recomputed from the hand-written version's own inputs to it.

One pass of the reference, forward and backward. Whatever a named submodule computed is noted,
and the hand-written value goes on in its place; whatever gradient autograd computed is noted,
and the hand-written gradient goes back in its place. So each quantity is judged given its own
inputs, and one mistake is not counted again in everything after it.
"""

import copy
from contextlib import contextmanager
from dataclasses import replace
from itertools import combinations

import numpy as np
import torch

from parity_tests.compare.judge import Finding, largest_difference
from parity_tests.compare.noise import (
    float64_traces,
    note_kinks,
    roundings,
    safety,
    tolerances,
)
from parity_tests.compare.trace import kind_of, reference_trace, usable
from parity_tests.compare.weights import copy_in


class Steps:
    """A hand-written trace beside what the reference makes of each of its steps.

    Attributes:
        given: the hand-written trace.
        computed: what the reference computed in each step, a trace in the order of computing.
        sources: for each value and the loss, the names of what it was computed from.
        allowed: the tolerance of each step.
        measured: the Rounding of each step, and `safety` the factor from it to `allowed`.
    """

    def __init__(self, given, reference, x, y, precision):
        self.given, self.reference, self.x, self.y = given, reference, x, y
        self.precision = precision
        self.sources: dict[str, set[str]] = {}
        inputs: list[torch.Tensor] = []
        with note_kinks(reference.model, inputs):
            self.computed = self.recompute(sources=self.sources)
        parameter = next(reference.model.parameters())
        is_exact = parameter.dtype is torch.float64 and parameter.device.type == "cpu"
        exact = (self.computed, inputs) if is_exact else None
        params = {name: given[name] for name in reference.names}
        traces = float64_traces(reference, params, x, y, precision, given, exact)
        self.roundings = roundings(traces, precision)
        self.safety = safety(self.computed, precision)
        self.measure()

    def measure(self):
        """Measure the rounding better, if there is a draw left; say whether there was."""
        measured = next(self.roundings, None)
        if measured is not None:
            self.measured = measured
            self.allowed = tolerances(measured, self.computed, self.reference.names, self.precision)
        return measured is not None

    def explained(self, name, difference):
        """Say whether rounding explains a difference; draws are made as long as one is needed."""
        while difference > self.allowed[name] and self.measure():
            pass
        return difference <= self.allowed[name]

    def recompute(self, replaced=None, saved=None, sources=None):
        """Make the pass with some of the hand-written quantities replaced, and return a trace.

        `replaced` maps names (`x` is one) to the arrays that are handed over in their place.
        `saved` maps values to arrays from which autograd takes the derivative of the step
        that gave the value, where it takes it from the step's output (a sigmoid's).
        """
        given = {**self.given, **(replaced or {})}
        reference = self.reference
        if replaced and any(name in reference.names for name in replaced):
            reference = with_parameters(reference, replaced)
        with saved_outputs(saved or {}) as note:

            def hand_on(name, tensor):
                note(name, tensor)
                return usable(given.get(name), tensor)

            return reference_trace(
                reference,
                given["x"] if "x" in (replaced or {}) else self.x,
                self.y,
                hand_on,
                lambda name, grad: usable(given.get(f"grad_{name}"), grad),
                {} if sources is None else sources,
            )

    def attempt(self, name, replaced=None, saved=None):
        """Return what `recompute` gives for one quantity, nan where the reference refuses."""
        try:
            return self.recompute(replaced, saved)[name]
        except (RuntimeError, IndexError, ValueError):  # a loss that takes no number beyond 1, say
            return np.full_like(self.computed[name], np.nan, dtype=np.float64)

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
        """Return the hand-written quantity, or where there is none what the reference has."""
        return self.given.get(name, self.computed.get(name))


def with_parameters(reference, replaced):
    """Return the reference with some of its parameters replaced, in a copy of its model."""
    model = copy.deepcopy(reference.model)
    paths = {name: path for name, path in reference.names.items() if name in replaced}
    copy_in(model, paths, replaced)
    return reference._replace(model=model)


@contextmanager
def saved_outputs(saved):
    """Let autograd take derivatives from the arrays `saved` in place of a step's own output.

    Yields a function to be told each value's name and its tensor as it is computed.
    """
    outputs = {}  # by address; the tensor is kept, or its address could be used again

    def note(name, tensor):
        if (other := usable(saved.get(name), tensor)) is not None:
            outputs[tensor.data_ptr()] = tensor, other

    def unpack(tensor):
        _, other = outputs.get(tensor.data_ptr(), (None, tensor))
        return other if other.shape == tensor.shape else tensor

    if not saved:
        yield note
        return
    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: tensor.detach(), unpack):
        yield note


def judge_steps(steps):
    """Return a Finding for each quantity, judged given its own inputs, in the order of computing.

    The verdicts are `match`, `wrong`, `kink`, `not given`; and `inherited` where a quantity
    cannot be judged because one of its inputs has a shape that the reference cannot use, or
    has a narrower dtype because one of its inputs has.
    """
    findings: list[Finding] = []
    unusable = set()
    for name, theirs in steps.computed.items():
        ours = steps.given.get(name)
        if name == "grad_x" and ours is None:  # nobody needs the gradient of the data
            continue
        difference, verdict = 0.0, "not given"
        if ours is not None:
            difference = step_difference(steps, name, theirs)
            verdict = "match" if steps.explained(name, difference) else "wrong"
        if verdict == "wrong" and name.startswith("grad_"):
            wrong = {f.name for f in findings if f.verdict == "wrong"}
            if wrong.intersection(steps.users(name.removeprefix("grad_"))):
                # autograd took the slope at its own output; the hand-written one is as good
                slopes = steps.attempt(name, saved=steps.given)
                by_ours = step_difference(steps, name, slopes)
                if np.isfinite(slopes).any() and by_ours <= steps.allowed[name]:
                    difference, verdict = by_ours, "match"
        if verdict == "wrong" and is_kink(steps, name):
            verdict = "kink"
        if verdict == "wrong" and is_from_right_inputs(steps, name, findings):
            verdict = "match"
        if ours is not None and ours.shape != theirs.shape:
            unusable.add(name)
        if verdict == "wrong" and (unusable & steps.inputs(name) or is_narrowed(steps, name)):
            verdict = "inherited"
        kind = kind_of(name, steps.reference.names)
        findings.append(Finding(name, kind, theirs.shape, difference, 0.0, verdict))
    return [replace(f, tolerance=steps.allowed[f.name]) for f in findings]


def step_difference(steps, name, theirs):
    """Return how far a hand-written quantity is from `theirs`: see `largest_difference`.

    Where an input is not finite, or a number may have overflowed, what comes of it may be nan
    in one version and 0 in the other: just the entries that are finite in both are compared.
    """
    inputs = [steps.value(other) for other in steps.inputs(name)]
    murky = any(array is not None and not np.isfinite(array).all() for array in inputs)
    largest = steps.measured[name].largest * steps.safety
    overflowed = largest > steps.precision.max
    return largest_difference(steps.given[name], theirs, murky or overflowed)


def is_narrowed(steps, name):
    """Say whether a quantity is off by the rounding of a narrower dtype that an input has."""
    dtypes = {
        array.dtype for other in steps.inputs(name) if (array := steps.given.get(other)) is not None
    }
    narrow = steps.given[name].dtype
    if (
        narrow not in dtypes
        or narrow.kind != "f"
        or narrow.itemsize >= steps.precision.numpy.itemsize
    ):
        return False
    coarse = float(np.finfo(narrow).eps) / steps.precision.eps
    return step_difference(steps, name, steps.computed[name]) <= steps.allowed[name] * coarse


def is_from_right_inputs(steps, name, findings):
    """Say whether a quantity is right given what some of its wrong inputs should have been.

    Then its own step is right, and they were changed, or given another's name, after it was
    computed from them.
    """
    inputs = steps.inputs(name)
    wrong = [f.name for f in findings if f.verdict == "wrong" and f.name in inputs]
    for size in range(1, len(wrong) + 1):
        for some in combinations(wrong, size):
            mended = steps.attempt(name, {other: steps.computed[other] for other in some})
            apart = step_difference(steps, name, mended)
            if np.isfinite(mended).any() and apart <= steps.allowed[name]:
                return True
    return False


def is_kink(steps, name):
    """Say whether a gradient differs only where its quantity is at a kink, and is right there.

    At 0 a ReLU has every slope between those on its two sides, so a gradient there is right
    if it lies between the gradients just left and just right of it.
    """
    quantity, ours = name.removeprefix("grad_"), steps.given[name]
    value = steps.value(quantity)
    if (
        quantity == name
        or value is None
        or not value.shape == ours.shape == steps.computed[name].shape
    ):
        return False
    allowed, off = steps.allowed[name], differing(steps, name)
    bit = 4 * steps.precision.eps * np.abs(value) + steps.precision.tiny
    left = steps.attempt(name, {quantity: value - np.where(off, bit, 0)})
    right = steps.attempt(name, {quantity: value + np.where(off, bit, 0)})
    above = ours >= np.minimum(left, right) - allowed
    below = ours <= np.maximum(left, right) + allowed
    return bool((above & below)[off].all())


def differing(steps, name):
    """Return which entries of a quantity differ by more than rounding explains."""
    apart = np.subtract(steps.given[name], steps.computed[name], dtype=np.float64)
    return ~(np.abs(apart) <= steps.allowed[name])
