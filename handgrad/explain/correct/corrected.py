"""Findings with the corrected line of what is wrong."""

import time
from dataclasses import replace

import numpy as np

from handgrad.explain.correct.draws import longest_side, with_fewer_rows
from handgrad.explain.correct.edits import CHEAPEST
from handgrad.explain.correct.forward import DEARER, look_at_forward
from handgrad.explain.correct.search import Search, failing_in, judged, look
from handgrad.findings import Finding, Fix
from handgrad.network import Network
from handgrad.run.code import lines_in, silence
from handgrad.run.hand_written import in_dtype, run_hand_written

SECONDS = 2.0  # for all that is wrong in one report
SEVERAL, ONE = 1, 0.5  # times as long for the forward pass, where that may well be it, or not
DEEPER = 10  # times as long for corrections of two changes
LARGE = 3000  # the longest side of an array with which two columns may be multiplied
MORE = 2  # lines that are as good, and shown


def with_fixes(network: Network, findings: list[Finding], depth: int = 1) -> list[Finding]:
    """Return Findings with the corrected line of each that is wrong, where one is found.

    With a `depth` of 2 also what takes two changes of a line is looked for, which takes longer.
    """
    seconds = SECONDS * (1 if depth == 1 else DEEPER)
    names = {f.name for f in findings if f.verdict == "wrong"}
    if network.code is None or not names or not seconds:
        return findings
    try:
        search = searched(network, names, findings, seconds, depth)
    except Exception:  # code that cannot be read so, or is nobody's: a search costs no verdict
        return findings
    if search is None:
        return findings
    return [replace(f, fix=fix_of(search, f.name)) if f.name in names else f for f in findings]


def searched(network, names, findings, seconds, depth):
    """Return the Search for corrections of what is called so, when it is over, or None."""
    with silence():
        search = search_in(network, names, time.thread_time() + seconds)
        if search is None:
            return None
        stages = range(len(CHEAPEST) if depth > 1 else len(CHEAPEST) - 1)
        look(search, stages, {f.name for f in findings if f.verdict == "match"})
        if search.failing and is_own_forward(network):
            is_likely = is_forward_likely(search, findings)
            search.until = time.thread_time() + (SEVERAL if is_likely else ONE) * seconds
            look_at_forward(search, is_likely)
    return search


def search_in(network: Network, names: set[str], until: float) -> Search | None:
    """Return the Search for what is wrong in a Network, None where it has too many rows for that.

    Of two long columns a wrong product is a huge matrix: with many rows, few of them are tried
    first, and what is right on these is verified on all.
    """
    wide = in_dtype(network, np.float64)
    tried = wide if longest_side(wide) <= LARGE else with_fewer_rows(wide)
    if tried is None:
        return None
    start = time.thread_time()
    trace = run_hand_written(tried)
    spent = time.thread_time() - start
    found = judged(tried, trace)
    return Search(
        network=tried,
        code=network.code,
        wrong={f.name: f for f in found if f.verdict == "wrong" and f.name in names},
        until=until,
        failing=failing_in(found),
        trace=trace,
        whole=None if tried is wide else wide,
        seconds=1.0 + 10 * spent,  # far longer than as it is
    )


def is_own_forward(network):
    """Say whether the reference is the user's own forward pass."""
    return network.reference is not None and network.reference.kind == "forward"


def is_forward_likely(search, findings):
    """Say whether the forward pass may well be the one that is wrong.

    It is where several gradients are wrong, or a weight does not reach the loss.
    """
    kinds = {f.cause.kind for f in findings if f.name in search.wrong and f.cause is not None}
    return len(search.wrong) > 1 or "unreached" in kinds


def fix_of(search, name):
    """Return the corrected line of a quantity, with those that are as good, or None.

    A change of the other pass that is as small, and corrects as much, is the other possibility.
    """
    hits = sorted((hit for hit in search.hits if name in hit.corrected), key=order)
    if not hits:
        return None
    best = hits[0]
    other = next((hit for hit in hits if is_as_likely(hit, best)), None)
    kind = [hit for hit in hits[1:] if hit.is_forward == best.is_forward]
    fix = as_fix(best, [hit for hit in kind if is_beside(hit, best)])
    return fix if other is None else fix._replace(otherwise=as_fix(other, []))


def is_as_likely(hit, best):
    """Say whether a hit in the other pass is as small a change, and corrects as much."""
    if hit.is_forward == best.is_forward or hit.corrected != best.corrected:
        return False
    return best.is_forward or hit.candidate.cost - DEARER <= best.candidate.cost


def is_beside(hit, other):
    """Say whether two hits change the same statement."""
    return hit.candidate.spot.place.node is other.candidate.spot.place.node


def as_fix(hit, others):
    """Return a Hit as a Fix; the others are as good."""
    spot = hit.candidate.spot
    number, old, new = changed_lines(spot.text, hit.candidate.text)
    return Fix(
        file=spot.place.filename,
        number=spot.place.node.lineno + number,
        old=old,
        new=new,
        alternatives=[changed_lines(spot.text, one.candidate.text)[2] for one in others][:MORE],
        verified_on=hit.verified_on,
        is_forward=hit.is_forward,
    )


def changed_lines(old, new):
    """Return how far down two texts differ first, and the lines of each that differ."""
    before, after = lines_in(old), lines_in(new)
    start = next((n for n, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), 0)
    end = next(
        (n for n, (a, b) in enumerate(zip(before[::-1], after[::-1], strict=False)) if a != b), 0
    )
    parts = before[start : len(before) - end], after[start : len(after) - end]
    old, new = ("\n".join(line.strip() for line in part) for part in parts)
    return start, old, new


def order(hit):
    """Return what hits are sorted by: those that correct more first, then the cheaper, shorter."""
    return -len(hit.corrected), hit.candidate.cost, hit.is_forward, len(hit.candidate.text)
