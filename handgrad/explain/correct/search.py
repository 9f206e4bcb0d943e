"""The line that makes it right: small edits of the user's own code, tried one by one.

An edit counts if what was wrong is right with it, on the user's data and on other draws, and
nothing else is wrong that was not. The cheapest comes first; of several that are as good, the
shorter line; and what corrects several quantities at once before what corrects one of them.
"""

import ast
import time
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from handgrad.compare.judge import judge
from handgrad.explain.correct.candidates import (
    Candidate,
    Spots,
    cheapest_first,
    spots_of,
)
from handgrad.explain.correct.draws import draws_of
from handgrad.explain.correct.places import (
    base_of,
    key_of,
)
from handgrad.explain.correct.quick import Segment, segment_for
from handgrad.findings import FAILED, Finding
from handgrad.network import Network
from handgrad.run.code import Code, at_most
from handgrad.run.hand_written import run_hand_written
from handgrad.run.precision import FLOAT64, arithmetic

LEEWAY = 0.6  # of what an edit may cost, if it corrects all of several
VERIFYING = 20  # times as long as a run: all draws are judged
NEAR = 1e-9  # how near a trial has to come, of the largest entry, to be looked at more closely


class Hit(NamedTuple):
    """A candidate that is right: the quantities that it corrects, and on how many draws.

    `is_forward` says that it changes the user's own forward pass, which is the reference.
    """

    candidate: Candidate
    corrected: frozenset[str]
    verified_on: int
    is_forward: bool = False


@dataclass
class Search:
    """What is wrong in a Network, in float64, and how long corrections are looked for.

    `trace` is its hand-written one, as the code is; `whole` is the Network with all its rows, where
    just few are tried; an edited run may take so many `seconds`.
    """

    network: Network
    code: Code
    wrong: dict[str, Finding]
    until: float
    failing: frozenset[str]
    trace: dict[str, np.ndarray]
    whole: Network | None = None
    seconds: float = 1.0
    draws: list[tuple[Network, bool]] | None = None
    spots: Spots = field(default_factory=lambda: Spots([], {}, {}))
    segments: dict[tuple, dict[str, Segment]] = field(default_factory=dict)
    hits: list[Hit] = field(default_factory=list)

    def all_draws(self):
        """Return other draws, made at the first call; see `draws_of`."""
        if self.draws is None:
            self.draws = draws_of(self.network, VERIFYING * self.seconds)
            self.draws += [] if self.whole is None else [(self.whole, True)]
        return self.draws

    def is_over(self):
        """Say whether the time is up."""
        return time.thread_time() > self.until


def look(search: Search, stages, right: set[str]):
    """Try edits, the cheapest first, until each wrong quantity has a correction or time is up."""
    names = search.network.names
    right_names = {base_of(names.get(name, name)) for name in right}
    search.spots = spots_of(search.code, search.network, search.wrong, right_names)
    for candidate in cheapest_first(search.code, search.spots.spots, stages, search.wrong):
        if search.is_over():
            return
        if is_worth_it(search, candidate):
            try_out(search, candidate)


def is_worth_it(search, candidate):
    """Say whether an edit may correct what nothing does yet, or nothing that is cheaper.

    Where several quantities are wrong, one that corrects all of them may cost a little more than
    those that correct one each.
    """
    best: dict[str, float] = {}
    for hit in search.hits:
        for name in hit.corrected:
            best[name] = min(hit.candidate.cost, best.get(name, np.inf))
    served = search.spots.serves[key_of(candidate.spot.place)]
    if any(candidate.cost <= best.get(name, np.inf) for name in served):
        return True
    is_done = any(served <= hit.corrected for hit in search.hits)
    return not is_done and candidate.cost <= max(best[name] for name in served) + LEEWAY


def try_out(search: Search, candidate: Candidate):
    """Run the code with an edit, and keep it as a hit where it corrects something."""
    place = candidate.spot.place
    try:
        with at_most(search.seconds):
            if not may_correct(search, candidate):
                return
        statements = new_statements(candidate)
        with search.code.changed(place, statements), at_most(search.seconds):
            trace = run_hand_written(search.network)
        served = search.spots.serves[key_of(place)]
        if any(is_near(trace.get(name), search.wrong[name]) for name in served):
            draws = search.all_draws()
            with search.code.changed(place, statements), at_most(VERIFYING * search.seconds):
                hit = verified(search, candidate, draws)
            search.hits += [] if hit is None else [hit]
    except KeyboardInterrupt:
        raise
    except BaseException:  # the edited code is nobody's: whatever it raises, it is no correction
        return


def may_correct(search, candidate):
    """Say whether an edit may correct anything, as far as a few lines of the code tell."""
    spot = candidate.spot
    key = key_of(spot.place)
    if key not in search.segments:
        search.segments[key] = segments_from(search, spot)
    segments = search.segments[key]
    if not segments:
        return True
    statements = parsed(candidate)
    return any(
        is_near(fitted(segment.run(statements), search.wrong[name]), search.wrong[name])
        for name, segment in segments.items()
    )


def segments_from(search, spot):
    """Return the Segments from a spot to what is wrong, by the names of the quantities."""
    found = {}
    for name in search.spots.serves[key_of(spot.place)]:
        for own in search.spots.own[name][-1:]:
            segment = segment_for(search.network, spot, own, search.wrong[name])
            if segment is not None:
                found[name] = segment
    return found


def fitted(array, finding):
    """Return an array in the shape that is compared, where it has as many entries."""
    is_other = array is not None and array.shape != finding.shape and finding.actual is not None
    if is_other and array.size == finding.expected.size and finding.actual.shape == finding.shape:
        return array.reshape(finding.shape)
    return array


def new_statements(candidate):
    """Return the statements that an edit puts in the place of one, on the same lines."""
    old, statements = candidate.spot.place.node, parsed(candidate)
    below = [*getattr(old, "body", []), *getattr(old, "orelse", [])]  # they stay where they are
    kept = {id(node) for statement in below for node in ast.walk(statement)}
    for statement in statements:
        for node in ast.walk(statement):
            if id(node) not in kept and isinstance(node, ast.stmt | ast.expr):
                node.lineno += old.lineno - 1
                node.end_lineno = (node.end_lineno or 1) + old.lineno - 1
    return statements


def parsed(candidate):
    """Return the statements of an edit; those in a loop, or below an `if`, are the old ones."""
    old = candidate.spot.place.node
    if not isinstance(old, ast.For | ast.If):
        return ast.parse(candidate.text).body
    (head,) = ast.parse(candidate.text + " pass").body
    head.body, head.orelse = old.body, old.orelse
    return [head]


def is_near(array, finding):
    """Say whether an array is the right one, but for rounding."""
    expected = finding.expected
    if array is None or expected is None or array.shape != expected.shape:
        return False
    with np.errstate(all="ignore"):
        apart = np.abs(np.subtract(array, expected, dtype=np.float64))
        size = float(np.abs(expected).max(initial=0.0))
        return bool((apart <= max(finding.tolerance, NEAR * size)).all())


def verified(search, candidate, draws):
    """Return the Hit that an edit is, or None; called while the edited code is in place."""
    failing = failing_with(search.network, search.failing)
    corrected = search.failing - failing
    if not failing <= search.failing or not corrected.intersection(search.wrong):
        return None
    count = 1 if search.whole is None else 0  # all rows count, and not that few of them do
    for draw, has_run in draws:
        try:
            again = failing_with(draw, search.failing)
        except Exception:
            if has_run:
                raise
            continue
        if again & corrected or not again <= search.failing:
            return None
        count += 1
    return Hit(candidate, corrected, count)


def failing_with(network, before):
    """Return the names of the quantities that fail as the code is now.

    Where others do than `before`, it may be read in another way now: a multiple that gradients
    carried is gone, say. So it is loaded again; what is not judged then, fails.
    """
    failing = failing_of(network)
    if failing <= before or network.reload is None:
        return failing
    again = network.reload(network)
    is_same = {*network.names, *network.lines} <= {*again.names, *again.lines}
    return failing_of(again) if is_same and again.scaled <= network.scaled else failing


def failing_of(network):
    """Return the names of the quantities that fail as the code is now."""
    return failing_in(judged(network, run_hand_written(network)))


def failing_in(found):
    """Return the names of the Findings that fail, or are missing: an edit may have lost them."""
    return frozenset(f.name for f in found if f.verdict in (*FAILED, "missing"))


def judged(network, trace):
    """Return the Findings on a hand-written trace of a Network."""
    with arithmetic(FLOAT64), np.errstate(all="ignore"):
        return judge(network, trace, FLOAT64)[0]
