"""The verdict on every quantity, step by step and over the whole run.

Step by step: one pass of the reference, forward and backward. Whatever a named submodule
computes is noted, and the hand-written value goes on in its place; whatever gradient autograd
computes is noted, and the hand-written gradient goes back in its place. So each quantity is
judged given its own inputs, and one mistake is not counted again in everything after it.

Whole run: from the same weights on. A mismatch of either is never dropped.
"""

from dataclasses import replace

import numpy as np
import torch

from handgrad.compare.second_look import differing, second_look
from handgrad.compare.tolerance import largest_difference, noise_of
from handgrad.findings import Finding
from handgrad.run.hand_written import named_inputs
from handgrad.run.perturb import REFUSALS
from handgrad.run.precision import FLOAT64
from handgrad.run.reference import Substitute, run_reference

# Draws of one last bit, not scaled: in a long chain that amplifies whatever it gets, a move that
# is scaled down says nothing of what rounding comes to. A step on its own is no such chain.
CHAOTIC = 2


def judge(network, actual, precision, device="cpu", every_draw=False):
    """Compare a hand-written trace with what the reference makes of it.

    `actual` is the trace of `network`, whose reference computes in `precision` on `device`. With
    `every_draw` the noise is measured as well as it can be, also where no difference needs it.
    Returns `findings, steps`: a Finding for each quantity in the order of computing, and the
    Steps, from which a wrong one can be explained.
    """
    steps = Steps(network, actual, precision, device)
    if every_draw:
        steps.noise.draw_all()
    found = judge_steps(steps)
    whole = judge_whole(network, actual, precision, device, subgradients(steps, found), every_draw)
    is_wrong = any(finding.verdict == "wrong" for finding in found)
    return [settle(finding, whole.get(finding.name), is_wrong) for finding in found], steps


class Steps:
    """A hand-written trace beside what the reference makes of each of its steps.

    Attributes:
        network: the Network, with its reference.
        actual: the hand-written trace.
        expected: what the reference computed in each step, a trace in the order of computing.
        sources: for each value and the loss, the names of what it was computed from.
        noise: the Noise of each step, and with it `tolerance(name)`.
    """

    def __init__(self, network, actual, precision, device="cpu"):
        self.network, self.actual = network, actual
        self.precision, self.device = precision, device
        given = Substitute(actual)
        run = exact = run_reference(network, precision, device, given)
        if not is_exact(precision, device):
            exact = run_reference(network, FLOAT64, substitute=given)
        self.expected, self.sources = run.quantities, run.sources
        self.noise = noise_of(network, precision, exact, actual)

    def tolerance(self, name):
        """Return the tolerance of a step, as it is measured so far."""
        return self.noise.tolerance(name)

    def recompute(self, replaced=None, saved=None):
        """Make the pass with some of the hand-written quantities replaced, and return its trace.

        `replaced` maps names, also of parameters and inputs, to the arrays that go on in their
        place; for `saved` see Substitute.
        """
        replaced = replaced or {}
        network = replace_data(self.network, replaced)
        substitute = Substitute({**self.actual, **replaced}, saved=saved or {})
        return run_reference(network, self.precision, self.device, substitute).quantities

    def attempt(self, name, replaced=None, saved=None):
        """Return what `recompute` gives for one quantity, nan where the reference refuses."""
        try:
            return self.recompute(replaced, saved)[name]
        except REFUSALS:  # a loss that takes no number beyond 1, say
            return np.full_like(self.expected[name], np.nan, dtype=np.float64)

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
        return self.actual.get(name, self.expected.get(name))

    def difference(self, name, expected):
        """Return how far a hand-written quantity is from `expected`: see `largest_difference`.

        Where an input is not finite, or a number may have overflowed, what comes of it may be
        nan in one version and 0 in the other: just the entries finite in both are compared.
        """
        inputs = [self.value(other) for other in self.inputs(name)]
        murky = any(array is not None and not np.isfinite(array).all() for array in inputs)
        overflowed = murky or self.noise.may_overflow(name)
        return largest_difference(self.actual[name], expected, overflowed)


def replace_data(network, replaced):
    """Return a Network with some of its parameters and inputs replaced."""
    params = {name: replaced.get(name, w) for name, w in network.params.items()}
    inputs = tuple(replaced.get(name, x) for name, x in named_inputs(network.x).items())
    return replace(network, params=params, x=inputs if isinstance(network.x, tuple) else inputs[0])


def is_exact(precision, device):
    """Say whether a run is computed as the noise is: in float64 on the CPU."""
    return precision.name == "float64" and str(device) == "cpu"


def judge_steps(steps):
    """Return a Finding for each quantity, judged given its own inputs, in the order of computing.

    `inherited` here is what cannot be judged, because one of its inputs has a shape that the
    reference cannot use, or a narrower dtype.
    """
    noise, judged = steps.noise, []
    wrong: set[str] = set()
    for name, expected in steps.expected.items():
        actual = steps.actual.get(name)
        if actual is None and name.removeprefix("grad_") not in steps.expected:
            continue  # of an input: nobody needs the gradient of the data
        difference, verdict = 0.0, "missing"
        if actual is not None:
            difference = steps.difference(name, expected)
            verdict = "match" if noise.explains(name, difference) else "wrong"
        if verdict == "wrong":
            difference, verdict = second_look(steps, name, difference, wrong)
        if verdict == "wrong":
            wrong.add(name)
        judged.append((name, actual, expected, difference, verdict))
    # not before: a later draw may have widened an earlier tolerance
    return [finding(noise, *one) for one in judged]


def finding(noise, name, actual, expected, difference, verdict):
    """Return a Finding, with what rounding allows as it is measured so far."""
    tolerance, largest = noise.tolerance(name), noise.largest[name]
    return Finding(
        name=name,
        kind=kind_of(name, noise.exempt),
        shape=expected.shape,
        difference=difference,
        tolerance=tolerance,
        ratio=ratio(difference, tolerance),
        resolution=tolerance / largest if largest else 0.0,
        verdict=verdict,
        actual=actual,
        expected=expected,
    )


def ratio(difference, tolerance):
    """Return difference / tolerance: 0 where anything is allowed, inf where nothing is."""
    if tolerance == np.inf or not difference:
        return 0.0
    return difference / tolerance if tolerance else np.inf


def kind_of(name, parameters):
    """Say what a quantity is: `parameter`, `value`, `loss` or `gradient`."""
    if name.startswith("grad_"):
        return "gradient"
    if name == "loss":
        return "loss"
    return "parameter" if name in parameters else "value"


def subgradients(steps, found):
    """Return for each gradient that takes another slope than PyTorch, as right, where it does."""
    return {
        finding.name: differing(steps, finding.name)
        for finding in found
        if finding.verdict == "subgradient"
    }


def judge_whole(network, actual, precision, device, slopes, every_draw):
    """Compare a hand-written trace with a whole run of the reference from the same weights.

    `slopes` has for a gradient the entries where it takes another slope than PyTorch, which is
    as right. Returns a Finding for each quantity by its name.
    """
    exact = run_reference(network, FLOAT64)
    noise = noise_of(network, precision, exact, unscaled=CHAOTIC)
    if every_draw:
        noise.draw_all()
    run = exact if is_exact(precision, device) else run_reference(network, precision, device)
    found = compare(actual, run.quantities, noise)

    def compared_again():
        move = from_own_values(actual, noise, slopes)
        backward = run_reference(network, precision, device, Substitute(move=move)).quantities
        grads = {name: grad for name, grad in backward.items() if name.startswith("grad_")}
        return compare(actual, {**run.quantities, **grads}, noise)

    if has_mismatch(found):
        found = compared_again()
    if has_mismatch(found):
        noise.draw_all()
        found = compared_again()
    return found


def has_mismatch(found):
    """Say whether any of the Findings is a mismatch."""
    return any(finding.verdict == "mismatch" for finding in found.values())


def from_own_values(actual, noise, slopes):
    """Return a `move` that lets the backward pass start from the hand-written values.

    Where both versions agree up to rounding but lie on different sides of a kink, one lets the
    gradient through a ReLU and the other does not, and both are right: so the gradients are
    compared at the hand-written values, wherever rounding explains these. Where the hand-written
    gradient takes another of several slopes, the reference goes on from that.
    """

    def move(name, tensor):
        if name not in actual or actual[name].shape != tuple(tensor.shape):
            return tensor
        own = torch.as_tensor(np.array(actual[name])).to(tensor)
        if not name.startswith("grad_"):
            close = (own - tensor).abs() <= noise.tolerance(name)
            return torch.where(close, own, tensor)
        if name in slopes and slopes[name].shape == tuple(tensor.shape):
            return torch.where(torch.as_tensor(slopes[name]).to(tensor.device), own, tensor)
        return tensor

    return move


def compare(actual, expected, noise):
    """Compare two traces, quantity by quantity; return a Finding for each by its name.

    Once a quantity has overflowed on both sides, or may have, what follows can be nan on one
    and 0 on the other (0 times inf): from there on, just the entries that are finite on both
    sides are compared.
    """
    findings = {}
    overflowed = False
    for name in noise.exact:
        array, right = actual.get(name), expected[name]
        if array is None:
            findings[name] = finding(noise, name, None, right, 0.0, "missing")
            continue
        murky = noise.may_overflow(name) or not (
            np.isfinite(array).all() or np.isfinite(right).all()
        )
        difference = largest_difference(array, right, overflowed or murky)
        overflowed = overflowed or (murky and name != "loss")  # no gradient is computed from it
        verdict = "match" if difference <= noise.tolerance(name) else "mismatch"
        findings[name] = finding(noise, name, array, right, difference, verdict)
    return findings


def settle(step, whole, is_wrong):
    """Return the one Finding on a quantity, from those of its step and of the whole run.

    A step that is right in a run that is not has its difference from what goes into it; or, where
    nothing is wrong, from errors too small to show in any one step.
    """
    if whole is None or whole.verdict != "mismatch":
        return step
    if step.verdict == "match":
        return replace(whole, verdict="inherited" if is_wrong else "accumulated")
    return step
