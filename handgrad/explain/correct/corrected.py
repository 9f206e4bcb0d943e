"""Findings with the corrected line of what is wrong."""

import time
from dataclasses import replace

import numpy as np

from handgrad.explain.correct.edits import CHEAPEST
from handgrad.explain.correct.forward import look_at_forward
from handgrad.explain.correct.search import Search, failing_of, look
from handgrad.findings import Finding, Fix
from handgrad.network import Network
from handgrad.run.code import silence
from handgrad.run.hand_written import in_dtype, run_hand_written

SECONDS = 2.0  # for all that is wrong in one report
FORWARD = 1  # times as long for the forward pass, where that may be the one that is wrong
DEEPER = 10  # times as long for corrections of two changes
MORE = 2  # lines that are as good, and shown


def with_fixes(network: Network, findings: list[Finding], depth: int = 1) -> list[Finding]:
    """Return Findings with the corrected line of each that is wrong, where one is found.

    With a `depth` of 2 also what takes two changes of a line is looked for, which takes longer.
    """
    seconds = SECONDS * (1 if depth == 1 else DEEPER)
    wrong = {f.name: f for f in findings if f.verdict == "wrong"}
    if network.code is None or not wrong or not seconds:
        return findings
    wide, until = in_dtype(network, np.float64), time.thread_time() + seconds
    with silence():
        failing = failing_of(wide)
        search = Search(
            wide, network.code, {n: wrong[n] for n in wrong if n in failing}, failing, until
        )
        stages = range(len(CHEAPEST) if depth > 1 else len(CHEAPEST) - 1)
        look(search, stages, {f.name for f in findings if f.verdict == "match"})
        if may_be_forward(search, findings):
            search.until = time.thread_time() + FORWARD * seconds
            search.trace = run_hand_written(wide)
            look_at_forward(search)
    return [replace(f, fix=fix_of(search, f.name)) if f.name in wrong else f for f in findings]


def may_be_forward(search, findings):
    """Say whether the forward pass may be the one that is wrong.

    It is where it is the reference, and several gradients are wrong, or a weight does not reach the
    loss, or nothing in the backward pass was found.
    """
    reference = search.network.reference
    if reference is None or reference.kind != "forward" or not search.failing:
        return False
    kinds = {f.cause.kind for f in findings if f.name in search.wrong and f.cause is not None}
    return len(search.wrong) > 1 or "unreached" in kinds or not search.hits


def fix_of(search, name):
    """Return the corrected line of a quantity, with those that are as good, or None."""
    hits = [hit for hit in search.hits if name in hit.corrected]
    if not hits:
        return None
    best, *rest = sorted(hits, key=order)
    spot, text = best.candidate.spot, best.candidate.text
    same = [hit for hit in rest if hit.candidate.spot.place.node is spot.place.node]
    number, old, new = changed_lines(spot.text, text)
    return Fix(
        file=spot.place.filename,
        number=spot.place.node.lineno + number,
        old=old,
        new=new,
        alternatives=[changed_lines(spot.text, hit.candidate.text)[2] for hit in same][:MORE],
        verified_on=best.verified_on,
        is_forward=best.is_forward,
    )


def changed_lines(old, new):
    """Return how far down two texts differ first, and the lines of each that differ."""
    before, after = old.splitlines(), new.splitlines()
    start = next((n for n, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), 0)
    end = next(
        (n for n, (a, b) in enumerate(zip(before[::-1], after[::-1], strict=False)) if a != b), 0
    )
    parts = before[start : len(before) - end], after[start : len(after) - end]
    old, new = ("\n".join(line.strip() for line in part) for part in parts)
    return start, old, new


def order(hit):
    """Return what hits are sorted by: those that correct more first, then the cheaper, shorter."""
    return -len(hit.corrected), hit.candidate.cost, len(hit.candidate.text)
