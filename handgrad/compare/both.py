"""The two questions of a check, kept apart: is the derivation right, and is the run precise?

A tolerance wide enough for a sum of a million terms in float32 lets mistakes through that one for
float64 does not. So wherever the hand-written side can be run again, the derivation is judged in
float64, whatever dtype the user works in; then the run in that dtype, on the device that it is
meant for.
"""

from dataclasses import replace

import numpy as np

from handgrad.compare.judge import judge
from handgrad.compare.steps import is_exact
from handgrad.errors import InputError
from handgrad.findings import FAILED
from handgrad.run.hand_written import can_run, in_dtype, run_again
from handgrad.run.precision import FLOAT64, arithmetic

UNDONE = (*FAILED, "missing", "inherited")
RIGHT = ("match", "missing", "subgradient", "scaled")


def judge_both(network, actual, precision, device="cpu", every_draw=False):
    """Judge the derivation of a Network, and its run in `precision` on `device`.

    `actual` is the hand-written trace of that run. Returns Findings; Steps by the name of the
    quantity, from which each can be explained; and notes.
    """
    wide, notes = None, []
    if not is_exact(precision, device) and can_run(network):
        try:
            wide = run_again(network, np.float64)
        except InputError as error:
            notes = [f"Judged in {precision.name}, since in float64 it does not run. {error}"]
    if wide is None:
        with arithmetic(precision, device):
            findings, steps = judge(network, actual, precision, device, every_draw)
        return findings, {f.name: steps for f in findings}, [*notes, *steps.notes]
    with arithmetic(FLOAT64):
        same = replace(in_dtype(network, np.float64), quantities=wide)
        derived, derived_steps = judge(same, wide, FLOAT64, every_draw=every_draw)
    with arithmetic(precision, device):
        run, run_steps = judge(network, actual, precision, device, every_draw, by_entry=False)
    narrow = narrow_names(wide, network)
    derivation = {finding.name: finding for finding in derived if finding.name not in narrow}
    findings, steps = [], {}
    for finding in run:
        first = derivation.get(finding.name, finding)
        is_wrong = first.verdict not in RIGHT and finding.verdict != "missing"
        is_settled = is_wrong or finding.verdict == "inconclusive"  # the run is, the derivation not
        findings.append(first if is_settled else finding)
        steps[finding.name] = derived_steps if is_settled else run_steps
    return findings, steps, [*notes_on(narrow, precision), *derived_steps.notes]


def narrow_names(wide, network):
    """Return the names of what stays narrower than float64 though all that goes in is wide."""
    return {
        name
        for name, array in wide.items()
        if name not in network.params and array.dtype.kind == "f" and array.dtype.itemsize < 8
    }


def notes_on(narrow, precision):
    """Say what was judged in the user's own dtype, since their code makes it narrow."""
    if not narrow:
        return []
    names = ", ".join(f"`{name}`" for name in sorted(narrow))
    return [
        f"Judged in {precision.name} and not in float64, since the code makes it narrow itself: "
        f"{names}."
    ]


def judge_guessed(network, actual, precision, device="cpu", every_draw=False):
    """Judge as `judge_both` does, without guessed gradients that are none after all.

    `dh` may be the gradient of `h`, or of what `h` was made of, with the mask in it already: only
    the numbers say which. A name is no reason to call a right derivation wrong: where every
    gradient that is asked for is right, such a one is another quantity.
    """
    how = precision, device, every_draw
    judged = judge_both(network, actual, *how)
    off = {f.name for f in judged[0] if f.verdict in UNDONE and f.name in network.guessed}
    if not has_wrong(judged, off):
        return judged
    if not is_right(without(network, actual, network.guessed, how), network):
        return judged
    for dropped in (off, network.guessed):
        judged = without(network, actual, dropped, how)
        if is_right(judged, network):
            break
    findings, steps, notes = judged
    return findings, steps, [*notes, note_on(dropped, network)]


def has_wrong(judged, names):
    """Say whether any of the findings of these names fails."""
    return any(f.verdict in FAILED for f in judged[0] if f.name in names)


def is_right(judged, network):
    """Say whether nothing fails, and the gradient of each parameter was judged."""
    known = {f.name: f.verdict for f in judged[0]}
    return not any(v in FAILED for v in known.values()) and all(
        known.get(f"grad_{name}", "missing") not in UNDONE for name in network.params
    )


def without(network, actual, names, how):
    """Judge without some of the gradients."""

    def kept(quantities):
        return {name: array for name, array in quantities.items() if name not in names}

    def backward(params, x, y, values):
        return kept(network.backward(params, x, y, values))

    fewer = replace(network, backward=backward)
    findings, steps, notes = judge_both(fewer, kept(actual), *how)
    return [f for f in findings if f.name not in names], steps, notes


def note_on(names, network):
    """Say which gradients were not judged, and why."""
    own = sorted(network.names.get(name, name) for name in names)
    return (
        f"Not judged: {', '.join(f'`{name}`' for name in own)}. What the passes assign under this "
        "name is not the gradient of a value that is called so, and all gradients of parameters "
        "are right."
    )
