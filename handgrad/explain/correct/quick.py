"""A first look at an edit: the lines from it to the wrong quantity, run on their own.

To run both passes for each of some hundred edits would take too long. So the names that the user's
function has before these lines are kept, from one run, and just these lines are run again, edited.
That they give what the whole run gave is not assumed: `segment_for` first sees it.
"""

import ast
import builtins
import contextlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from handgrad.explain.correct.places import Spot, reads, targets
from handgrad.run.code import Place
from handgrad.run.hand_written import as_array, run_hand_written

SEE = "__handgrad_sees__"


class Segment(NamedTuple):
    """The statements from an edit to the one that assigns a quantity, and what was known there.

    `names` is what the function and its module know before the first of them, `lookup` is the
    expression that has the quantity after the last.
    """

    names: dict[str, Any]
    statements: list[ast.stmt]
    filename: str
    lookup: str

    def run(self, first: Sequence[ast.stmt]):
        """Return the quantity as it is with these statements in the place of the first, or None."""
        body = [*first, *self.statements[1:]]
        known = dict(self.names)
        for statement in body:
            if not writes_into(statement):
                continue
            for name in {*targets(statement), *reads(statement)}:
                if isinstance(known.get(name), np.ndarray):
                    known[name] = known[name].copy()
        exec(compile(ast.Module(body, []), self.filename, "exec", dont_inherit=True), known)
        return as_array(eval(self.lookup, known))


def writes_into(statement):
    """Say whether a statement may write into an array that was there before."""
    if not isinstance(statement, ast.Assign):
        return True
    return not all(isinstance(target, ast.Name) for target in statement.targets)


def segment_for(network, spot: Spot, own: Place, finding):
    """Return the Segment from a spot to the line of a wrong quantity, None where there is none.

    Both have to stand in one block, the spot first; what is run more than once is none.
    """
    place = spot.place
    if place.block is not own.block or place.at > own.at:
        return None
    statements = own.block[place.at : own.at + 1]
    if any(isinstance(one, ast.Return) for one in statements):
        return None
    names = names_before(network, place)
    if names is None:
        return None
    for lookup in lookups(own.node):
        segment = Segment(names, statements, place.filename, lookup)
        try:
            found = segment.run(statements[:1])
        except Exception:
            continue
        if found is not None and is_same(found, finding.actual):
            return segment
    return None


def names_before(network, place: Place):
    """Return what is known before the first run of a statement, None where it is run again.

    Arrays are copies; so are those in a dict or a list, in which a later line may write.
    """
    seen: list[dict[str, Any]] = []

    def see(of_module, of_function):
        seen.append({**of_module, **kept(of_function)} if not seen else {})

    (call,) = ast.parse(f"{SEE}(globals(), locals())").body
    for part in ast.walk(call):
        ast.copy_location(part, place.node)
    setattr(builtins, SEE, see)  # wherever the user's code is run, this is known
    try:
        with network.code.changed(place, [call, place.node]), contextlib.suppress(Exception):
            run_hand_written(network)
    finally:
        delattr(builtins, SEE)
    return seen[0] if len(seen) == 1 else None


def kept(known):
    """Return names with copies of their arrays."""

    def copied(value, depth=2):
        if isinstance(value, np.ndarray):
            return value.copy()
        if depth and type(value) in (list, tuple):
            return type(value)(copied(part, depth - 1) for part in value)
        if depth and type(value) is dict:
            return {key: copied(part, depth - 1) for key, part in value.items()}
        return value

    return {name: copied(value) for name, value in known.items()}


def lookups(node):
    """Return the expressions that a statement assigns, each as it is read."""
    found = []
    for target in getattr(node, "targets", None) or [getattr(node, "target", None)]:
        for part in ast.walk(target) if target is not None else ():
            if isinstance(part, ast.Name | ast.Subscript | ast.Attribute):
                found.append(ast.unparse(part))
    return found


def is_same(found, actual):
    """Say whether an array is the hand-written one, in whatever shape that is compared."""
    if actual is None or found.size != actual.size:
        return False
    return np.allclose(found.reshape(actual.shape), actual, rtol=1e-12, atol=0, equal_nan=True)
