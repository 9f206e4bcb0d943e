"""Two traces against each other: how far apart each quantity is, and what rounding allows."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from parity_tests.compare.noise import float64_traces, roundings, safety, tolerances
from parity_tests.compare.precision import precision_of
from parity_tests.compare.trace import kind_of, reference_trace


class Cause(NamedTuple):
    """What kind of mistake it looks like, and the sentence that a teacher would say."""

    kind: str
    message: str


@dataclass(frozen=True)
class Finding:
    """What the comparison found of one quantity.

    `difference` is the largest over its entries (inf where the shapes differ, or where just
    one side is finite), `tolerance` the largest that rounding can explain. `cause` says what
    kind of mistake a wrong one looks like.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    difference: float
    tolerance: float
    verdict: str
    cause: Cause | None = None

    @property
    def ratio(self):
        """Difference / tolerance: above 1 it is no rounding."""
        if self.tolerance == float("inf"):  # it allows anything
            return 0.0
        if self.difference <= self.tolerance:
            return self.difference / self.tolerance if self.difference else 0.0
        return self.difference / self.tolerance if self.tolerance else float("inf")


def whole_run(given, reference, x, y, precision=None, kinks=None):
    """Compare a hand-written trace with a whole run of the reference from the same weights.

    `given` is the trace, `reference` a loaded Reference on the device under test, `precision`
    what it computes in, by default the dtype of the widest parameter. `kinks` has for a gradient
    the entries where it takes another slope than PyTorch, at a kink, which is as right.
    Returns `findings, computed`: a Finding for each quantity, in the order of computing, and
    the reference's trace.
    """
    names = reference.names
    params = {name: given[name] for name in names}
    precision = precision or precision_of(params)
    *_, measured = roundings(float64_traces(reference, params, x, y, precision), precision)
    allowed = tolerances(measured, given, names, precision)
    hand_on, hand_back = same_side(given, allowed), same_slope(given, kinks or {})
    computed = reference_trace(reference, x, y, hand_on, hand_back)
    return judge(given, computed, measured, allowed, names, precision), computed


def same_side(given, allowed):
    """Make a `hand_on` that settles on which side of 0 an entry lies when rounding cannot.

    Where both versions agree up to rounding but lie on different sides of 0, one lets the
    gradient through a ReLU and the other does not, and both are right. The reference goes on
    from the hand-written entry there: a step below the tolerance.
    """

    def hand_on(name, tensor):
        if name not in given or given[name].shape != tuple(tensor.shape):
            return None
        ours = torch.as_tensor(given[name]).to(tensor)
        crossed = (ours.sign() != tensor.sign()) & ((ours - tensor).abs() <= allowed[name])
        return torch.where(crossed, ours, tensor) if crossed.any() else None

    return hand_on


def same_slope(given, kinks):
    """Make a `hand_back` that takes the hand-written slope at the kinks, a mask for each name."""

    def hand_back(name, grad):
        mask = kinks.get(f"grad_{name}")
        if mask is None or mask.shape != grad.shape:
            return None
        ours = torch.as_tensor(given[f"grad_{name}"]).to(grad)
        return torch.where(torch.as_tensor(mask).to(grad.device), ours, grad)

    return hand_back


def judge(given, computed, measured, allowed, parameters, precision):
    """Compare two traces, quantity by quantity, and return a Finding for each.

    `measured` and `allowed` are each quantity's Rounding and tolerance in this `precision`.
    Once a quantity has overflowed on both sides, or may have, what follows can be nan on one
    and 0 on the other (0 times inf): from there on, just the entries that are finite on both
    sides are compared.
    """
    findings = []
    overflowed, factor = False, safety(computed, precision)
    for name, array in computed.items():
        kind = kind_of(name, parameters)
        if name not in given:
            findings.append(Finding(name, kind, array.shape, 0.0, allowed[name], "not given"))
            continue
        ours = given[name]
        here = measured[name].largest * factor > precision.max
        here = here or not (np.isfinite(ours).all() or np.isfinite(array).all())
        difference = largest_difference(ours, array, overflowed or here)
        overflowed = overflowed or (here and name != "loss")  # no gradient is computed from it
        verdict = "match" if difference <= allowed[name] else "mismatch"
        findings.append(Finding(name, kind, array.shape, difference, allowed[name], verdict))
    return findings


def largest_difference(ours, theirs, overflowed=False):
    """Return the largest difference between two arrays, over the entries finite in both.

    It is inf where the shapes differ and, unless they `overflowed`, where an entry is finite
    on one side only.
    """
    if ours.shape != theirs.shape:
        return float("inf")
    finite = np.isfinite(ours) & np.isfinite(theirs)
    if not overflowed and (np.isfinite(ours) != np.isfinite(theirs)).any():
        return float("inf")
    apart = np.subtract(ours, theirs, dtype=np.float64, where=finite, out=np.zeros(ours.shape))
    return float(np.abs(apart).max(initial=0.0))
