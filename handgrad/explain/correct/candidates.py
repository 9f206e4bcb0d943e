"""What is tried: places in the user's code, and edits of each, the cheapest first."""

import heapq
import itertools
from collections.abc import Iterator
from typing import NamedTuple

from handgrad.explain.correct.edits import CHEAPEST, edits_of
from handgrad.explain.correct.places import (
    FEEDER,
    REST,
    SAME_NAME,
    Spot,
    base_of,
    editable,
    key_of,
    names_at,
    own_places,
    spots_for,
)
from handgrad.network import Network
from handgrad.run.code import Code, Place

SHARED = 0.1  # what a place adds that several wrong quantities have in common
# How far from the line a place may be for the edits of each stage.
FURTHEST = REST, FEEDER, SAME_NAME


class Candidate(NamedTuple):
    """An edit at a place, what it costs, and the quantities that it may correct."""

    cost: float
    spot: Spot
    text: str


class Spots(NamedTuple):
    """Where to look: the places, and what they serve.

    `serves` has for each place the quantities that an edit of it may correct, `own` for each
    quantity the places that assign it.
    """

    spots: list[Spot]
    serves: dict[tuple, set[str]]
    own: dict[str, list[Place]]


def spots_of(code: Code, network: Network, wrong, right) -> Spots:
    """Return the places to edit for all that is wrong, each once, at its lowest cost.

    `wrong` are the Findings by name, `right` the user's names of what is right. What should be 0 is
    left out: many an edit makes it so.
    """
    places = editable(code)
    found: dict[tuple, Spot] = {}
    serves: dict[tuple, set[str]] = {}
    assign: dict[str, list[Place]] = {}
    for name, finding in wrong.items():
        if finding.expected is None or not finding.expected.any():
            continue
        shown = base_of(network.names.get(name, name))
        line = network.lines.get(name)
        assign[name] = own = own_places(places, shown, line)
        for spot in spots_for(places, own, shown, right - {shown}, is_returned=line is None):
            key = key_of(spot.place)
            serves.setdefault(key, set()).add(name)
            if key not in found or spot.cost < found[key].cost:
                found[key] = spot
    spots = [sooner(spot, serves[key]) for key, spot in found.items()]
    return Spots(spots, serves, assign)


def sooner(spot, served):
    """Return a place at a lower cost if several wrong quantities have it in common."""
    return spot if len(served) < 2 else spot._replace(cost=min(SHARED, spot.cost))


def cheapest_first(code: Code, spots, stages, wrong) -> Iterator[Candidate]:
    """Yield the edits of places, the cheapest first; `wrong` are the names of what is.

    Those of a place are made when the first of them may be the cheapest that is left.
    """
    waiting: list[tuple] = []
    numbers = itertools.count()
    for spot in spots:
        for stage in stages:
            if spot.cost <= FURTHEST[stage]:
                cost = CHEAPEST[stage] + spot.cost
                heapq.heappush(waiting, (cost, 0, next(numbers), (spot, stage)))
    while waiting:
        *_, one = heapq.heappop(waiting)
        if isinstance(one, Candidate):
            yield one
            continue
        spot, stage = one
        names, parameters = names_for(code, spot, wrong)
        for edit in edits_of(spot.text, names, parameters, stage):
            candidate = Candidate(edit.cost + spot.cost, spot, edit.text)
            entry = (candidate.cost, len(edit.text), next(numbers), candidate)
            heapq.heappush(waiting, entry)


def names_for(code, spot, wrong):
    """Return the names that a place knows, and those that a penalty there may be on."""
    names = names_at(code, spot.place)
    return names, [w for w in names.atoms if any(is_parameter(w, n) for n in wrong)]


def is_parameter(atom, name):
    """Say whether a name may be that of the parameter whose gradient this is: w1 of grad_w1."""
    quantity = name.removeprefix("grad_").lower()
    return atom.lower().strip('"]').endswith(quantity) and not atom.lower().startswith(
        ("d", "grad")
    )
