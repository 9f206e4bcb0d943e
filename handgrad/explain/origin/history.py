"""The lines of a run that make what is not finite, and what each has it from."""

import ast
import copy
import warnings
from collections import defaultdict
from contextlib import redirect_stdout
from io import StringIO
from typing import Any, NamedTuple

import numpy as np

from handgrad.explain.origin.operation import Operation, level, operation
from handgrad.explain.origin.value import UNKNOWN, Values, parts_of
from handgrad.network import Network
from handgrad.run.hand_written import mapped
from handgrad.run.statements import statements

MOST = 20000  # entries: a loop may make nan for ever
LOOKED_AT = 20  # of one line: what it makes later has it from there
MADE_BEFORE = ast.Name | ast.Attribute | ast.Subscript | ast.Call


class Entry(NamedTuple):
    """A line that made what is not finite.

    Attributes:
        name: what it made it under, "" of what a function returned.
        value: what it made.
        source: the number of the Entry that it has it from, None where there is none.
        operations: what made it worse on this line, the last one first: nan of inf, inf of numbers.
        function, filename, line: where.
    """

    name: str
    value: Any
    source: int | None
    operations: list[Operation]
    function: str
    filename: str
    line: int


def history_of(network: Network) -> list[Entry]:
    """Run the hand-written side of a Network, and return what was not finite, in order.

    As far as it comes: where the backward pass fails, what the forward pass made is there.
    """
    history = History()
    forward, backward = network.plain or (network.forward, network.backward)
    assert forward is not None  # it is asked for where the code can be run
    params, x, y = mapped(np.ndarray.copy, (dict(network.params), network.x, network.y))
    with redirect_stdout(StringIO()), np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they have been shown
        try:
            with statements(history.see):
                result = forward(params, x, y)
            if backward is not None:
                with statements(history.see):
                    backward(params, x, y, result)
        except Exception:  # why it fails is said elsewhere
            return history.entries
    return history.entries


class History:
    """What was not finite so far, in order."""

    def __init__(self):
        self.entries: list[Entry] = []
        self.numbers: dict[int, list[int]] = defaultdict(list)  # by what holds the memory
        self.lines: dict[tuple[str, str, int], list[int]] = defaultdict(list)
        self.firsts: list[tuple[bool, int]] = []

    def see(self, ran):
        """Note what a statement made, where that is not finite."""
        if len(self.entries) >= MOST or not any(level(value) for _, value, _ in ran.made):
            return
        where = ran.function, ran.filename, ran.line
        before = self.lines[where]
        if len(before) >= LOOKED_AT:
            made = [(name, value) for name, value, _ in ran.made if level(value)]
            self.keep([Entry(name, value, before[-1], [], *where) for name, value in made])
            return
        values, entries = Values(ran), []
        for name, value, node, is_own in made_by(ran):
            given = values.of(node)
            if is_own or given is UNKNOWN:  # else it is what was there before, as well
                given = value
            if level(given):
                source, operations = self.source_of(node, given, values, ran)
                entries.append(Entry(name, value, source, operations, *where))
        self.keep(entries)

    def keep(self, entries):
        """Put what one statement made with what there is."""
        for entry in entries:
            number = len(self.entries)
            self.numbers[id(holder_of(entry.value))].append(number)
            self.lines[entry.function, entry.filename, entry.line].append(number)
            self.firsts.append(self.first((entry.source, entry.operations)))
            self.entries.append(entry)

    def source_of(self, node, value, values, ran):
        """Return the number of the Entry that a part of a line has nan or inf from, or None.

        And the Operations on the line that made it worse.
        """
        if isinstance(node, MADE_BEFORE):
            source = self.made_before(node, value, ran)
            if source is not None:
                return source, []
        bad = worst_parts(node, values)
        if not bad and isinstance(node, ast.ListComp | ast.GeneratorExp):
            for element in values.elements(node):
                if level(given := element.of(node.elt)):
                    return self.source_of(node.elt, given, element, ran)
        if not bad and isinstance(node, MADE_BEFORE) and values.of(node) is UNKNOWN:
            return self.returned(ran), []
        if not bad:
            return None, operation(node, numbers_of(node), values)
        ways = [self.source_of(part, values.of(part), values, ran) for part in bad]
        source, operations = min(ways, key=self.first)
        if max(level(values.of(part)) for part in bad) < level(value):
            operations = [*operation(node, numbers_of(node), values), *operations]
        return source, operations

    def first(self, way):
        """Return what sorts what `source_of` returns: what comes from an operation, the first."""
        source, operations = way
        if source is None:
            return not operations, len(self.entries)
        is_given, root = self.firsts[source]
        return is_given and not operations, root

    def made_before(self, node, value, ran):
        """Return the number of the last Entry that made this very array, or a part of it."""
        possible, root = [value], node
        while isinstance(root, ast.Attribute | ast.Subscript | ast.Name):
            possible += [ran.written[name] for name in [ast.unparse(root)] if name in ran.written]
            root = getattr(root, "value", None)
        found = [self.last_of(one) for one in possible]
        return max((number for number in found if number is not None), default=None)

    def last_of(self, value):
        """Return the number of the last Entry that made a value, or a part of it, or None."""
        numbers = reversed(self.numbers[id(holder_of(value))])
        return next((n for n in numbers if is_same(self.entries[n].value, value)), None)

    def returned(self, ran):
        """Return the number of the first Entry that a call on this line returned, or None."""
        returned = [value for _, value in ran.calls if level(value)]
        found = [
            n for n, e in enumerate(self.entries) if any(is_same(e.value, v) for v in returned)
        ]
        return found[0] if found else None


def holder_of(value):
    """Return the array that holds the memory of an array, of anything else that itself."""
    while isinstance(value, np.ndarray) and isinstance(value.base, np.ndarray):
        value = value.base
    return value


def is_same(one, other):
    """Say whether two values are one object, or arrays that share an entry."""
    if one is other:
        return True
    are_arrays = isinstance(one, np.ndarray) and isinstance(other, np.ndarray)
    return are_arrays and np.may_share_memory(one, other) and np.shares_memory(one, other)


def made_by(ran):
    """Yield what a statement made: name, value, the part of the line that gave it, whether alone.

    Of what a call writes into, or returns with others, the part gives more than that.
    """
    node = ran.node
    if isinstance(node, ast.Return | ast.Lambda):
        value = node.body if isinstance(node, ast.Lambda) else node.value
        yield from returned_by(value, ran.made[0][1])
        return
    for name, value, number in ran.made:
        part = node.value
        if isinstance(node, ast.AugAssign):
            part = ast.copy_location(ast.BinOp(loaded(node.target), node.op, part), node)
        elif isinstance(node, ast.Expr) and is_append(part):
            part = part.args[0]
        is_own = number is not None or (part is node.value and isinstance(node, ast.Expr))
        if number is not None and isinstance(part, ast.Tuple) and is_flat(part, node.targets):
            part, is_own = part.elts[number], False
        yield name, value, part, is_own


def is_flat(part, targets):
    """Say whether what is written right of `a, b = ...` has as many parts as what is left."""
    written = [*part.elts, *(one for target in targets for one in getattr(target, "elts", ()))]
    is_starred = any(isinstance(one, ast.Starred) for one in written)
    return not is_starred and all(len(getattr(t, "elts", ())) == len(part.elts) for t in targets)


def loaded(target):
    """Return a target as a part that is read."""
    target = copy.copy(target)
    target.ctx = ast.Load()
    return target


def returned_by(node, value):
    """Yield what a function returned, likewise: each part of a tuple or a dict written there."""
    if isinstance(node, ast.Tuple) and isinstance(value, tuple) and len(node.elts) == len(value):
        yield from (("", one, part, True) for one, part in zip(value, node.elts, strict=True))
    elif isinstance(node, ast.Dict) and isinstance(value, dict) and len(node.keys) == len(value):
        names = [key if isinstance(key, str) else "" for key in value]
        parts = zip(names, value.values(), node.values, strict=True)
        yield from ((name, one, part, True) for name, one, part in parts)
    elif node is not None:
        yield "", value, node, True


def is_append(call):
    """Say whether a call appends to a list."""
    return isinstance(call.func, ast.Attribute) and call.func.attr == "append"


def numbers_of(node):
    """Return the parts that an operation is on: of `h.mean(0)` they are `h` and `0`."""
    parts = parts_of(node)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return [node.func.value, *parts[1:]]
    return parts


def worst_parts(node, values):
    """Return the parts that a part has nan or inf from.

    These are those that are as bad as the whole, or all where none is.
    """
    bad = [part for part in chosen(node, values) if level(values.of(part))]
    as_bad = [part for part in bad if level(values.of(part)) >= level(values.of(node)) > 0]
    return as_bad or bad


def way_to(entries, number):
    """Return the number of an Entry, of the one that it has nan or inf from, and so on."""
    way = []
    while number is not None:
        way.append(number)
        number = entries[number].source
    return way


def chosen(node, values):
    """Return the parts that an operation is on; of `np.where` those that are bad where chosen."""
    parts = numbers_of(node)
    if not isinstance(node, ast.Call) or values.of(node.func) is not np.where or len(parts) != 4:
        return parts
    mask, one, other = (values.of(part) for part in parts[1:])
    if any(value is UNKNOWN for value in (mask, one, other)):
        return parts
    picked = np.where(mask, one, 0), np.where(mask, 0, other)
    return [part for part, array in zip(parts[2:], picked, strict=True) if level(array)]
