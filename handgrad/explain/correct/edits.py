"""Small edits of a statement: what people write in the place of what they mean, the other way.

An edit is a cost and the new text of the statement. The user's own writing, comments and line
breaks stay as they are: just the part that changes is written anew.
"""

import ast
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple

from handgrad.explain.correct import exchanged, forgotten
from handgrad.explain.correct.places import Names
from handgrad.explain.correct.statement import Statement

Kind = Callable[..., Iterable[tuple[float, str]]]


CHEAPEST = 1.0, 2.8, 3.0  # of the edits of each stage
SMALL = 1.7  # what each of two edits may cost


RETURNED = (
    exchanged.other_names,
    exchanged.other_signs,
    exchanged.other_layouts,
    forgotten.left_out,
)


KINDS = (
    exchanged.other_names,
    exchanged.other_signs,
    exchanged.other_layouts,
    exchanged.other_constants,
    exchanged.other_flags,
    exchanged.other_functions,
    exchanged.other_assignments,
    exchanged.other_counts,
    forgotten.left_out,
    forgotten.forgotten,
    forgotten.counts,
)


class Edit(NamedTuple):
    """A new text for a statement; the smaller its cost, the sooner it is tried."""

    cost: float
    text: str


def edits_of(text: str, names: Names, parameters: Sequence[str], stage: int) -> list[Edit]:
    """Return the edits of a statement, each text once, the cheapest first.

    `names` is what its function knows, `parameters` are those that a penalty may be on. The second
    `stage` has the many that are tried where none of the first is right, the third has pairs.
    """
    if stage == 2:
        return pairs(text, names)
    try:
        statement = Statement(text)
    except (SyntaxError, ValueError, RecursionError):
        return []
    kinds: tuple[Kind, ...] = KINDS
    if stage:
        kinds = forgotten.terms, partial(forgotten.penalties, parameters=parameters)
    if isinstance(statement.value, ast.Dict | ast.Tuple):
        kinds = () if stage else RETURNED
    costs: dict[str, float] = {}
    for kind in kinds:
        for cost, new in kind(statement, names):
            if new != text:
                costs[new] = min(cost, costs.get(new, cost))
    return cheapest_of(costs)


def cheapest_of(costs: dict[str, float]) -> list[Edit]:
    """Return texts as Edits, by their costs and then by their lengths."""
    order = sorted(costs.items(), key=lambda item: (item[1], len(item[0])))
    return [Edit(cost, new) for new, cost in order]


def pairs(text: str, names: Names) -> list[Edit]:
    """Return what two small edits make of a statement."""
    costs: dict[str, float] = {}
    for first in edits_of(text, names, (), 0):
        if first.cost <= SMALL:
            for second in edits_of(first.text, names, (), 0):
                cost = 1 + first.cost + second.cost
                if second.cost <= SMALL and second.text != text:
                    costs[second.text] = min(cost, costs.get(second.text, cost))
    return cheapest_of(costs)
