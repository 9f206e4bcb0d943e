"""Gradients that are taken for those of values by their names: are these what is meant?

`dh` may be the gradient of `h`, or of what `h` was made of, with the mask in it already; nothing
says which but the numbers. A name is no reason to call a right derivation wrong: where every
gradient that is asked for is right, such a one is another quantity.
"""

from dataclasses import replace

from handgrad.compare.both import judge_both
from handgrad.findings import FAILED

UNDONE = (*FAILED, "missing", "inherited")


def judge_guessed(network, actual, precision, device="cpu", every_draw=False):
    """Judge as `judge_both` does, without guessed gradients that are none after all."""
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
