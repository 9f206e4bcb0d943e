"""Which of the names that a user's backward pass assigns is the gradient of which of the forward's.

By their names first, `dh1` and `h1`; of several of the same name by the object whose methods assign
them, and by their order, which the backward pass turns round; and where names do not tell, by
numbers: a gradient that equals just one of those that autograd finds is that one.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from handgrad.load.names import FORMS, Y_NAMES, array_of, is_letter
from handgrad.load.nested import flat, holders_of

CLOSE = 1e-6  # relative: two formulas for one gradient agree better, others hardly ever so well
MANY = 500  # values: so many are watched to find a gradient's by its numbers
NAMELESS = re.compile(r"(?i)d|g|grads?|gradients?|deriv(ative)?s?|dparams")  # that of all there is
GRADIENTS = re.compile(r"(?i)d|g|.*grad.*|.*deriv.*|.*delta.*|dparams")  # what holds gradients


@dataclass
class Array:
    """An array that a pass assigned: where it is found again, and all its names.

    `names` are pairs of a name and the object whose method assigned it, the first one first.
    `at` is its number among the names of its pass, or the way to it in what the pass returned,
    which `way` is as well. `arguments` are those of the names that a function was given it under.
    `is_partial` says that it was there before and was written into,
    `is_of_entry` that just an entry of it was.
    """

    at: Any
    value: np.ndarray
    names: list[tuple[str, Any]] = field(default_factory=list)
    container: str = ""
    given: int = 0
    is_partial: bool = False
    is_of_entry: bool = False
    way: str = ""
    arguments: set[str] = field(default_factory=set)

    @property
    def shown(self):
        """The name that a report has: the outermost, if it is not that of an argument."""
        assigned = [name for name, _ in self.names if name and name not in self.arguments]
        return (assigned or [self.names[0][0]])[-1]


def arrays_of(notes, skipped=()):
    """Return the Arrays that a pass noted, in order; `skipped` are ids of arrays to leave out.

    What is assigned again under another name, and not changed, is one Array of two names.
    """
    found: list[Array] = []
    latest: dict[int, Array] = {}
    last = None
    for number, note in notes.items():
        value, given = array_of(note.value), id(note.given)
        if value is None or value.dtype.kind != "f" or not value.size or given in skipped:
            continue
        name = note.name, owner_of(note)
        known = latest.get(given)
        if known is not None and not note.is_partial and not is_number(note.given):
            known.names.append(name)
            known.arguments |= {note.name} if note.is_argument else set()
            known.container = note.container or known.container
            continue
        is_of_entry = note.is_partial and last is not None and last == note.name
        new = Array(
            number, value, [name], note.container, given, note.is_partial, bool(is_of_entry)
        )
        new.arguments |= {note.name} if note.is_argument else set()
        last = note.container
        latest[given] = new
        found.append(new)
    return found


def gradients_of(first, data):
    """Return the Arrays that may be gradients: what the backward pass assigned, and returned.

    `data` has the ids of the arrays that the passes were given.
    """
    skipped = set(data)
    if not first.programme.is_one:
        skipped |= {id(note.given) for note in first.values.values()}
    found = arrays_of(first.grads, skipped)
    if first.programme.is_one:  # all that comes before the loss is its, unless it is called so
        at = first.programme.loss_at
        found = [
            g for g in found if g.at > at or any(True for n, _ in g.names for _ in bases_of(n))
        ]
    latest = {array.given: array for array in found}
    listed = [
        ((number, way), f"{note.name}{way}" if way.startswith("[") else way, value, note.name)
        for number, note in first.grads.items()
        if isinstance(note.given, list | tuple | dict) and is_gradient(note)
        for way, value in flat(note.given).items()
    ]
    returned = [(way, way, value, "grads") for way, value in flat(first.returned).items()]
    for at, way, value, container in [*listed, *returned]:
        array = array_of(value)
        if array is None or array.dtype.kind != "f" or not array.size or id(value) in skipped:
            continue
        key = re.split(r"\.", way)[-1]
        noted = latest.get(id(value))
        if noted is not None and np.array_equal(noted.value, array, equal_nan=True):
            noted.way, noted.container = way, noted.container or container
            if key and not key.startswith("["):
                noted.names.append((key, None))
        else:
            found.append(Array(at, array, [(key, None)], container, id(value), way=way))
            latest[id(value)] = found[-1]
    return found


def is_gradient(note):
    """Say whether a list or a dict that was noted may hold gradients, by its name."""
    return bool(GRADIENTS.fullmatch(note.name)) or any(True for _ in bases_of(note.name))


def of_leaves(leaves, first, data, grads):
    """Return the gradients of parameters and inputs, by their names.

    `data` has the names by the ids of the arrays that the passes were given.
    """
    names: dict[str, set[tuple[str, Any]]] = {name: {(name, None)} for name in leaves}
    for name, short in short_names(leaves):
        names[name].add((short, None))
    own = {n.name for n in first.values.values() if not n.is_argument and id(n.given) not in data}
    for note in first.values.values():
        if id(note.given) in data and data[id(note.given)] in names and note.name not in own:
            names[data[id(note.given)]].add((note.name, None))
    for held, known in holders_of(first.programme.held()).items():
        if held in data and data[held] in names:
            names[data[held]].update(known)
    found: dict[str, Array] = {}
    known = {note.name for note in first.values.values()}
    for name, leaf in leaves.items():
        if name in Y_NAMES:
            continue
        fitting = [g for g in grads if is_of(g, name, names[name], known)]
        best = [g for g in fitting if g.way == name or g.way.endswith(f".{name}")]
        best = best or [g for g in fitting if g.way] or fitting
        best = [g for g in best if g.value.shape == np.shape(leaf)] or best
        if best:
            found[name] = best[-1]
    found = found or by_order(first.params, grads)
    taken = [id(grad) for grad in found.values()]
    for grad in grads:  # J, grad = cost(theta)
        alike = [n for n, w in leaves.items() if np.shape(w) == grad.value.shape and n not in found]
        is_last = bool(grad.way) or first.programme.is_one  # not one of a helper's
        is_last = is_last and grad.names[-1][0] not in grad.arguments
        if is_last and is_nameless(grad) and id(grad) not in taken and len(alike) == 1:
            found[alike[0]] = grad
    return found


def is_nameless(grad):
    """Say whether a gradient is called after nothing."""
    return NAMELESS.fullmatch(grad.names[-1][0]) is not None


def is_of(grad, leaf, names, known):
    """Say whether a gradient is called after a parameter, or lies where the parameter does.

    `known` are the names that the forward pass assigns.
    """
    if grad.way and (grad.way == leaf or grad.way.endswith(f".{leaf}")):
        return True
    owners = {owner for _, owner in names} - {None}
    for name, owner in grad.names:
        for base in bases_of(name, grad.container):
            for other, of in names:
                if owner in owners and of != owner:
                    continue
                if of is None or of == owner:
                    is_other = base != other and base in known  # Y, where y is the leaf
                    if (same(base, other) and not is_other) or is_entry(base, leaf, other):
                        return True
    return False


def is_entry(base, leaf, name):
    """Say whether `w[2]` is the entry `weights[2]` of a list: its arrays may be called w."""
    stem, bracket, index = base.partition("[")
    return bool(bracket) and leaf.endswith(f"[{index}") and name.partition("[")[0] == stem


def short_names(leaves):
    """Yield each name with the last part of it, where no other has the same: `w` of `out.w`."""
    shorts = [(name, re.split(r"\.|(?=\[)", name)[-1]) for name in leaves]
    counts = Counter(short for _, short in shorts)
    yield from (pair for pair in shorts if counts[pair[1]] == 1 and not pair[1].startswith("["))


def by_order(params, grads):
    """Return the gradients that a backward pass returns as a tuple, in the parameters' order."""
    returned = [grad for grad in grads if grad.way]
    shapes = [np.shape(param) for param in params.values()]
    if not params or [grad.value.shape for grad in returned] != shapes:
        return {}
    return dict(zip(params, returned, strict=True))


def watchable(values, grads):
    """Return the values that may have a gradient among these: by their names, or by numbers."""
    known = groups(values)
    names = {name for grad in grads for name, _ in candidates(grad, known)}
    names |= {name for name in known if name.partition("[")[0] in names}
    named = {id(value) for name in names for value in known[name]}
    nameless = [g for g in grads if next(candidates(g, known), None) is None and g.value.size > 1]
    shapes = {g.value.shape for g in nameless} if len(values) <= MANY else set()
    return [v for v in values if id(v) in named or v.value.shape in shapes]


def names_of(values, taken):
    """Return the names of Arrays by their `at`: `h[0]`, `h[1]` where several have the same."""
    counts = Counter(value.shown for value in values)
    so_far: Counter[str] = Counter()
    found = {}
    for value in values:
        name = value.shown
        if counts[name] > 1:
            so_far[name] += 1
            number = so_far[name]
            name = f"{name}_{number}" if "[" in name else f"{name}[{number - 1}]"
        found[value.at] = f"{name}_value" if name in taken else name
    return found


def is_number(value):
    """Say whether a value is a number of Python's, whose id says nothing."""
    return isinstance(value, float | int)


def owner_of(note):
    """Return what tells one object's methods from another's: its id, or None for a function."""
    return None if note.owner is None else id(note.owner)


def bases_of(name, container=""):
    """Yield the names that a name may be the gradient of: `h1` for `dh1` or `grad_h1`."""
    stem, bracket, index = name.partition("[")
    for form in FORMS:
        before, after = form.split("{}")
        if stem.startswith(before) and stem.endswith(after) and len(stem) > len(before + after):
            base = stem[len(before) : len(stem) - len(after) or None]
            if not base.isdecimal():
                yield base + bracket + index
    if stem.startswith("grad") and stem[4:5].isupper():
        yield stem[4].lower() + stem[5:] + bracket + index
    if GRADIENTS.fullmatch(container):
        yield name if stem != container else bracket + index


def same(one, other):
    """Say whether two names are one, but for the case of a single letter."""
    return one == other or (is_letter(one) and one.swapcase() == other)


def candidates(grad, known):
    """Yield the names in `known` that one of a gradient's names is the gradient of.

    The last name comes first: it is the one in the outermost function. Of `dh[3]` that is `h[3]`,
    or else `h`, which the loop may have called so each time.
    """
    for name, owner in reversed(grad.names):
        bases = list(bases_of(name, grad.container))
        for stems in (bases, [base.partition("[")[0] for base in bases if "[" in base]):
            for base in stems:
                fitting = [other for other in known if same(base, other)]
                exact = [other for other in fitting if other == base]
                yield from ((other, owner) for other in exact or fitting)


def equals(one, other):
    """Say whether two arrays are the same numbers but for rounding, and not all 0."""
    if one.shape != other.shape or not np.isfinite(one).all():
        return False
    largest = np.abs(other).max(initial=0.0)
    return bool(largest) and bool((np.abs(one - other) <= CLOSE * largest).all())


def last_versions(arrays):
    """Return Arrays without those that are changed in place later, under the same name."""
    last = {(a.given, a.names[0][0]): a for a in arrays}
    return [a for a in arrays if last[a.given, a.names[0][0]] is a]


def groups(values):
    """Return the forward pass's Arrays by each of their names, in order."""
    found: dict[str, list[Array]] = {}
    for value in values:
        for name in dict.fromkeys(name for name, _ in value.names):
            found.setdefault(name, []).append(value)
    return found


def pair(grads, values, truth):
    """Return which gradient is that of which value: a dict from the value's `at` to the gradient.

    `truth` has the gradient that autograd finds of each value, by its `at`.
    """
    known = groups(values)
    asked: dict[tuple[str, Any], list[Array]] = {}
    found: dict[Any, Array] = {}
    for grad in grads:
        first = next(candidates(grad, known), None)
        if first is not None:
            asked.setdefault(owned(first, known), []).append(grad)
    for (name, owner), several in asked.items():
        of_owner = [v for v in known[name] if owner is None or (name, owner) in v.names]
        for value, grad in in_order(several, of_owner, entries_of(name, known), truth):
            found.setdefault(value.at, grad)
    taken = {id(grad) for grad in found.values()}
    for grad in grads:
        equal = [v.at for v in values if v.at not in found and equals(grad.value, truth[v.at])]
        if id(grad) not in taken and grad.value.size > 1 and equal:
            found[equal[-1]] = grad
    return found


def entries_of(name, known):
    """Return the values that are the entries of a buffer, `h[0]`, `h[1]`, in order of time."""
    found = [v for other, of in known.items() if other.startswith(f"{name}[") for v in of]
    return sorted(last_versions(found), key=lambda value: value.at)


def owned(first, known):
    """Return a name with its owner, or with None where no value of that name has this owner."""
    name, owner = first
    is_known = any((name, owner) in value.names for value in known[name])
    return (name, owner) if is_known else (name, None)


def in_order(grads, values, entries, truth) -> Iterator[tuple[Array, Array]]:
    """Yield pairs of a value and its gradient, of one name each: what comes last comes first.

    `entries` are those of a buffer that the forward pass fills: each is a value. Where the counts
    differ, those go together whose numbers say so.
    """
    if len(values) == 1 and len(grads) > 1 and not entries:  # dh[h <= 0] = 0 makes another of it
        equal = [g for g in grads if equals(g.value, truth[values[0].at])]
        if equal:
            yield values[0], equal[-1]
            return
    grads = [g for g in grads if not (g.is_of_entry and g is not grads[-1])]
    if entries and all(value.is_of_entry for value in values):
        values = entries
        last = last_versions(grads)
        if len(last) == 1 and last[0].value.shape[1:] == entries[0].value.shape:
            yield from ((entry, part) for entry in entries for part in part_of(last[0], entry))
            return
    values = [v for v in values if not (v.is_of_entry and v is not values[-1])]
    if len(grads) != len(values):
        grads, values = last_versions(grads), last_versions(values)
    if len(grads) == len(values):
        yield from zip(reversed(values), grads, strict=True)
    elif len(values) == 1:
        yield values[0], fitting(grads, values[0])[-1]
    elif len(grads) == 1:
        equal = [v for v in values if equals(grads[0].value, truth[v.at])]
        yield (equal or fitting(values, grads[0]))[-1], grads[0]
    else:
        yield from by_numbers(grads, list(reversed(values)), truth)


def fitting(arrays, other):
    """Return those of some Arrays that have another's shape, or else all."""
    return [array for array in arrays if array.value.shape == other.value.shape] or arrays


def by_numbers(grads, values, truth):
    """Yield the pairs that the numbers say go together, without a step back."""
    for grad in grads:
        equal = [value for value in values if equals(grad.value, truth[value.at])]
        if equal:
            yield equal[0], grad
            values = values[values.index(equal[0]) + 1 :]


def part_of(grad, entry):
    """Return the part of a buffer of gradients that is an entry's, in a list; none if not found."""
    index = entry.shown.partition("[")[2].rstrip("]")
    if not index.lstrip("-").isdecimal() or not -len(grad.value) <= int(index) < len(grad.value):
        return []
    name, owner = grad.names[-1]
    at = grad.at, int(index)
    return [Array(at, grad.value[int(index)], [(f"{name}[{index}]", owner)], given=grad.given)]
