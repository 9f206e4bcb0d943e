"""The other possibility: the backward pass is right, and the forward pass is not the one meant.

Where the user's own forward pass is the reference, it is right by definition. But where several
gradients are wrong, or a weight does not reach the loss, one change of it may make the whole
backward pass right: that is more likely what happened.
"""

import ast

import numpy as np

from handgrad.explain.correct.candidates import Candidate, cheapest_first
from handgrad.explain.correct.places import HELPER, OWN, Spot, calls, editable, is_at, text_of
from handgrad.explain.correct.search import (
    VERIFYING,
    Hit,
    Search,
    new_statements,
    verified,
)
from handgrad.network import Network
from handgrad.run.code import Code, at_most
from handgrad.run.hand_written import run_hand_written

DEARER = 1.2  # than an edit of the backward pass that corrects as much
STEP = 1e-6  # of the largest weight, by which all are moved
MOST = 1.4  # what an edit may cost: a name that is much alike, a sign, a number
LARGEST = 2.4  # and where the forward pass may well be wrong: a term or a factor that is forgotten
NEAR = 1e-4  # how far the slope of the loss may be from what the gradients say


def look_at_forward(search: Search, is_likely: bool):
    """Try small edits of the forward pass, until one makes the whole backward pass right.

    Larger ones are tried where the forward pass `is_likely` the one that is wrong.
    """
    spots = forward_spots(search.code, search.network)
    for candidate in cheapest_first(search.code, spots, (0,), search.wrong):
        if search.is_over() or candidate.cost > (LARGEST if is_likely else MOST):
            return
        if candidate.text.count("-") > candidate.spot.text.count("-"):
            continue  # nobody forgets a sign in what he computes
        try:
            hit = hit_of(search, candidate)
        except KeyboardInterrupt:
            raise
        except BaseException:  # the edited code is nobody's
            continue
        if hit is not None:
            search.hits.append(hit)
            return


def hit_of(search: Search, candidate: Candidate) -> Hit | None:
    """Return the Hit that an edit of the forward pass is, or None."""
    network, place = search.network, candidate.spot.place
    statements = new_statements(candidate)
    with search.code.changed(place, statements), at_most(search.seconds):
        trace = run_hand_written(network)
        if not is_alive(trace, search.trace) or not is_slope(network, trace):
            return None
    draws = search.all_draws()
    with search.code.changed(place, statements), at_most(VERIFYING * search.seconds):
        hit = verified(search, candidate, draws)
    if hit is None or hit.corrected != search.failing:
        return None
    dearer = candidate._replace(cost=candidate.cost + DEARER)
    return hit._replace(candidate=dearer, is_forward=True)


def is_alive(trace, before):
    """Say whether all that varied still does, in the shapes that it had.

    Where the loss is a constant, or a layer gives nothing but 0, every gradient is right that is 0.
    """
    return trace.keys() >= before.keys() and all(
        trace[name].shape == array.shape and (np.ptp(trace[name]) > 0 or not np.ptp(array))
        for name, array in before.items()
        if array.size > 1
    )


def forward_spots(code: Code, network: Network) -> list[Spot]:
    """Return the places of the forward pass: before the first gradient, and what is called there.

    `network.lines` has the lines of values and of gradients.
    """
    places = [place for place in editable(code) if not isinstance(place.node, ast.Return)]
    values = [line for name, line in network.lines.items() if not name.startswith("grad_")]
    grads = [line for name, line in network.lines.items() if name.startswith("grad_")]
    of_values = [p for p in places if any(is_at(p, line) for line in values)]
    of_grads = [p for p in places if any(is_at(p, line) for line in grads)]

    def is_forward(place):
        beside = [p for p in of_values if p.function is place.function]
        after = [p for p in of_grads if p.function is place.function]
        return bool(beside) and all(place.node.lineno < p.node.lineno for p in after)

    own = [place for place in places if is_forward(place)]
    called = {name for place in own for name in calls(place.node)}
    helpers = [p for p in places if p.function is not None and p.function.name in called]
    of_both = [Spot(p, text_of(p), OWN) for p in own]
    return of_both + [Spot(p, text_of(p), HELPER) for p in helpers if p not in own]


def is_slope(network: Network, trace) -> bool:
    """Say whether the gradients are the slope of the loss, along one direction at random.

    `trace` is the hand-written one. Three passes are cheap, and tell nearly always.
    """
    names = [name for name in network.params if f"grad_{name}" in trace]
    rng = np.random.default_rng(0)
    ways = {name: rng.standard_normal(network.params[name].shape) for name in names}
    if any(trace[f"grad_{name}"].shape != way.shape for name, way in ways.items()):
        return False
    said = sum(float((trace[f"grad_{name}"] * way).sum()) for name, way in ways.items())
    size = max(float(np.abs(network.params[name]).max(initial=0)) for name in names) or 1.0
    ahead, behind = (moved_loss(network, ways, side * STEP * size) for side in (1, -1))
    slope = (ahead - behind) / (2 * STEP * size)
    return bool(abs(slope - said) <= NEAR * (abs(slope) + abs(said)))


def moved_loss(network, ways, step):
    """Return the loss with the weights moved by a step each in its own way."""
    params = {n: w + step * ways[n] if n in ways else w for n, w in network.params.items()}
    programme = network.reference.model.programme
    if programme.loss_at is None:  # it is returned: no name has to be noted
        loss = programme.loss(programme.forward(params, network.x, network.y), None)
    else:
        loss = network.forward(params, network.x, network.y)["loss"]
    return float(np.asarray(loss).reshape(-1)[0])
