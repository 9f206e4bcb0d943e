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

from handgrad.compare.convention import with_conventions
from handgrad.compare.narrow import NudgedConstants, without_narrow
from handgrad.compare.second_look import second_look
from handgrad.compare.sizes import max_of, typical
from handgrad.compare.steps import Steps, is_exact
from handgrad.compare.tolerance import apart_of, noise_of
from handgrad.findings import Finding
from handgrad.run.precision import FLOAT64
from handgrad.run.reference import Substitute, run_reference

SAMPLE = 1000  # entries at most, whose median tolerance stands for that of all
REST = 1e-4  # of the largest input: what cancels leaves less, even behind a norm of one unit
BLOCK = 1 << 15  # entries that are worked on at once: they stay in the cache


def judge(network, actual, precision, device="cpu", every_draw=False, by_entry=True):
    """Compare a hand-written trace with what the reference makes of it.

    `actual` is the trace of `network`, whose reference computes in `precision` on `device`. With
    `every_draw` the noise is measured as well as it can be, also where no difference needs it;
    for `by_entry` see Noise. Returns `findings, steps`: a Finding for each quantity in the order
    of computing, and the Steps, from which a wrong one can be explained.
    """
    steps = Steps(network, actual, precision, device, by_entry)
    if every_draw:
        steps.noise.draw_all()
    found = judge_steps(steps)
    if is_settled(found) and not every_draw:
        return found, steps
    whole = judge_whole(steps, found, every_draw)
    found, whole, steps.notes = without_narrow(found, whole, steps)
    is_wrong = any(finding.verdict == "wrong" for finding in found)
    settled = [settle(finding, whole.get(finding.name), is_wrong) for finding in found]
    return with_conventions(settled, whole, steps), steps


def is_settled(found):
    """Say whether the whole run is right because its steps are.

    Where what they are off by, all of them together, is less than what one of them may be, it is
    as small as rounding everywhere, and there is nothing that could add up.
    """
    return all(f.verdict in ("match", "missing") for f in found) and sum(f.ratio for f in found) < 1


def judge_steps(steps):
    """Return a Finding for each quantity, judged given its own inputs, in the order of computing.

    `inherited` here is what cannot be judged, because one of its inputs has a shape that the
    reference cannot use, or a narrower dtype.
    """
    noise = steps.noise
    judged = {
        name: expected
        for name, expected in steps.expected.items()
        # nobody needs the gradient of the data, nor a part of what a submodule gives
        if name in steps.actual
        or (name.removeprefix("grad_") in steps.expected and "[" not in name)
    }
    apart = {n: steps.apart(n, judged[n]) for n in judged if n in steps.actual}
    off = noise.unexplained(apart)
    looked_at = look_again(steps, off, apart) if off else {}
    findings = []
    for name, expected in judged.items():
        difference, verdict = apart.get(name), "match" if name in apart else "missing"
        if name in looked_at:
            difference, verdict = looked_at[name]
        if verdict == "match" and name in noise.moves and is_any_number(steps, name):
            verdict = "inconclusive"
        findings.append(finding(noise, name, steps.actual.get(name), expected, difference, verdict))
    return findings


def look_again(steps, off, apart):
    """Return what differs by, and the verdict, for each of the quantities that are `off`.

    What is wrong at the second look may be in a chain that amplifies whatever it gets.
    """
    looked_at = second_look(steps, off, apart)
    wrong = {name: looked_at[name][0] for name in looked_at if looked_at[name][1] == "wrong"}
    explained = set(wrong).difference(steps.noise.unexplained_by_chaos(wrong))
    return looked_at | {name: (wrong[name], "match") for name in explained}


def is_any_number(steps, name):
    """Say whether rounding could make any number of a quantity, and no mere rest of what cancels.

    It is allowed all of its size, and that is no rounding error of what it is computed from.
    """
    noise = steps.noise
    allowed = max_of(noise.tolerance(name))
    largest = max((noise.largest.get(other, 0.0) for other in steps.inputs(name)), default=0.0)
    rest = max(REST, steps.precision.eps**0.5) * largest
    size = max_of(typical(noise.exact[name], noise.largest[name]))
    return allowed >= size and allowed > rest


def finding(noise, name, actual, expected, apart, verdict):
    """Return a Finding, with what rounding allows as it is measured so far.

    `apart` are the differences of the entries, None where there are none. The difference and the
    tolerance are those of the entry that is furthest off.
    """
    tolerance = noise.tolerance(name)
    apart = np.zeros(expected.shape) if apart is None else apart
    difference, allowed = worst(apart, tolerance)
    middle = float(np.median(tolerance.reshape(-1)[:: tolerance.size // SAMPLE + 1]))
    largest = noise.largest[name]
    return Finding(
        name=name,
        kind=kind_of(name, noise.exempt),
        shape=expected.shape,
        difference=difference,
        tolerance=allowed,
        ratio=ratio(difference, allowed),
        resolution=middle / largest if largest else 0.0,
        verdict=verdict,
        actual=actual,
        expected=expected,
        allowed=tolerance if tolerance.ndim and verdict not in ("match", "missing") else None,
    )


def worst(apart, tolerance):
    """Return the difference and the tolerance of the entry that is furthest off."""
    if not tolerance.ndim:
        return max_of(apart), float(tolerance)
    if not max_of(apart):
        return 0.0, max_of(tolerance)
    apart, tolerance = apart.reshape(-1), tolerance.reshape(-1)
    blocks = [slice(start, start + BLOCK) for start in range(0, apart.size, BLOCK)]
    furthest = [b.start + int(np.argmax(apart[b] / tolerance[b])) for b in blocks]
    at = max(furthest, key=lambda entry: apart[entry] / tolerance[entry])
    return float(apart[at]), float(tolerance[at])


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


def judge_whole(steps, found, every_draw):
    """Compare a hand-written trace with a whole run of the reference from the same weights.

    `found` are the Findings on its steps. Returns a Finding for each quantity by its name.
    """
    network, actual, precision = steps.network, steps.actual, steps.precision
    with NudgedConstants() as constants:
        exact = run_reference(network, FLOAT64)
    steps.has_constants = constants.has_met
    noise = noise_of(network, precision, exact)
    if every_draw:
        noise.draw_all()
    run = exact
    if not is_exact(precision, steps.device):
        run = run_reference(network, precision, steps.device)
    wrong = {finding.name for finding in found if finding.verdict == "wrong"}
    compared = compare(actual, run.quantities, noise, wrong)
    if wrong or not has_mismatch(compared):
        return compared
    slopes = {f.name: taken(f, precision) for f in found if f.kind == "gradient" and was_taken(f)}
    move = from_own_values(actual, noise, slopes)
    backward = run_reference(network, precision, steps.device, Substitute(move=move)).quantities
    grads = {name: grad for name, grad in backward.items() if name.startswith("grad_")}
    return compare(actual, {**run.quantities, **grads}, noise)


def was_taken(finding):
    """Say whether a gradient is right, though not in all entries PyTorch's to the last bits."""
    return finding.verdict in ("match", "subgradient", "inconclusive")


def taken(finding, precision):
    """Return in which entries a right gradient is another than PyTorch's: a slope of its own."""
    apart = apart_of(finding.actual, finding.expected)
    return ~(apart <= precision.safety * precision.eps * np.abs(finding.expected))


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
            close = (own - tensor).abs() <= torch.as_tensor(noise.tolerance(name)).to(tensor.device)
            return torch.where(close, own, tensor)
        if name in slopes and slopes[name].shape == tuple(tensor.shape):
            return torch.where(torch.as_tensor(slopes[name]).to(tensor.device), own, tensor)
        return tensor

    return move


def compare(actual, expected, noise, wrong=()):
    """Compare two traces, quantity by quantity; return a Finding for each by its name.

    What is `wrong` is so by its own step, whatever the whole run says of it.

    Once a quantity has overflowed, or may have, what follows can be nan on one and 0 on the other
    (0 times inf): from there on, just the entries that are finite on both sides are compared. An
    inf that is none of overflow, such as a mask's, excuses nothing.
    """
    apart = {}
    overflowed = False
    for name in noise.exact:
        array, right = actual.get(name), expected[name]
        if array is None:
            continue
        murky = noise.may_overflow(name)
        apart[name] = apart_of(array, right, overflowed or murky)
        overflowed = overflowed or (murky and name != "loss")  # no gradient is computed from it
    off = noise.unexplained(apart, wrong)
    chaotic = noise.unexplained_by_chaos({n: apart[n] for n in off if n not in wrong})
    off = [name for name in off if name in wrong or name in chaotic]
    findings = {}
    for name in noise.exact:
        verdict = "mismatch" if name in off else "match" if name in apart else "missing"
        arrays = actual.get(name), expected[name], apart.get(name)
        findings[name] = finding(noise, name, *arrays, verdict)
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
