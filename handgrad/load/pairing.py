"""Which of the names that a user's backward pass assigns is the gradient of which of the forward's.

By their names first, `dh1` and `h1`; of several of the same name by the object whose methods assign
them, and by their order, which the backward pass turns round; and where names do not tell, by
numbers: a gradient that equals just one of those that autograd finds is that one.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from handgrad.load.arrays import Array, bases_of, is_near, same

MANY = 500  # values: so many are watched to find a gradient's by its numbers


def watchable(values, grads):
    """Return the values that may have a gradient among these: by their names, or by numbers."""
    known = groups(values)
    names = {name for grad in grads for name, _ in candidates(grad, known)}
    names |= {n for n in known if n.partition("[")[0] in names and known[n][0].value.size > 1}
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
    """Say whether a gradient equals another, by numbers that tell: finite ones, and not all 0."""
    return bool(other.any()) and bool(np.isfinite(one).all()) and is_near(other, one)


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
            if value.value.shape == grad.value.shape or name not in value.arguments:
                found.setdefault(value.at, grad)
    taken = {id(grad) for grad in found.values()}
    for grad in grads:
        equal = [v.at for v in values if v.at not in found and equals(grad.value, truth[v.at])]
        if id(grad) not in taken and grad.value.size > 1 and equal:
            found[equal[-1]] = grad
    return found


def entries_of(name, known):
    """Return the values that are the entries of a buffer, `h[0]`, `h[1]`, in order of time."""
    entries = [v for other, of in known.items() if other.startswith(f"{name}[") for v in of]
    found = [value for value in entries if value.value.size > 1]  # else the whole is the quantity
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
    is_returned = any(grad.way for grad in grads)
    if len(values) == 1 and len(grads) > 1 and not entries and not is_returned:
        equal = [grad for grad in grads if equals(grad.value, truth[values[0].at])]
        if equal:  # dh[h <= 0] = 0 makes another of it
            yield values[0], equal[-1]
            return
    grads = [g for g in grads if not (is_in_between(g) and g is not grads[-1])]
    if entries and all(value.is_of_entry for value in values):
        values = entries
        last = last_versions(grads)
        if len(last) == 1 and last[0].value.shape[1:] == entries[0].value.shape:
            yield from ((entry, part) for entry in entries for part in part_of(last[0], entry))
            return
    values = [v for v in values if not (is_in_between(v) and v is not values[-1])]
    if len(grads) != len(values):
        grads, values = last_versions(grads), last_versions(values)
    if len(grads) == len(values):
        yield from in_turn(list(reversed(values)), grads, truth)
    elif len(values) == 1:
        yield values[0], fitting(grads, values[0])[-1]
    elif len(grads) == 1:
        equal = [v for v in values if equals(grads[0].value, truth[v.at])]
        yield (equal or fitting(values, grads[0]))[-1], grads[0]
    else:
        yield from by_numbers(grads, list(reversed(values)), truth)


def is_in_between(array):
    """Say whether an Array is a buffer that is being filled: what is called otherwise is full."""
    return array.is_of_entry and len({name for name, _ in array.names} - array.arguments) < 2


def in_turn(values, grads, truth):
    """Yield the pairs of as many values and gradients, in order.

    `ds = p` and then `ds[rows, y] -= 1` is one gradient, where what it has become is right: what it
    was before is then no gradient of another `s`.
    """
    done: set[int] = set()
    for number, (value, grad) in enumerate(zip(values, grads, strict=True), 1):
        same_array = [g for g in grads[number:] if is_same_array(g, grad)]
        later = [g for g in same_array if equals(g.value, truth[value.at])]
        if later and not equals(grad.value, truth[value.at]):
            grad = later[-1]
        if id(grad) not in done:
            yield value, grad
        done.add(id(grad))


def is_same_array(one, other):
    """Say whether an Array is another one, written into under the same name."""
    return (one.given, one.names[0][0]) == (other.given, other.names[0][0])


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
