"""The gradients of what goes into a pass: the parameters and the inputs, wherever they lie."""

import re
from collections import Counter
from typing import Any

import numpy as np

from handgrad.load.arrays import GRADIENTS, NAMELESS, Array, arrays_of, bases_of, is_unchanged, same
from handgrad.load.names import Y_NAMES, array_of
from handgrad.load.nested import flat, holders_of


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
    by_id: dict[int, list[Array]] = {}
    for array in found:
        by_id.setdefault(array.given, []).append(array)
    listed = [
        ((number, way), f"{note.name}{way}" if way.startswith("[") else way, value, note.name)
        for number, note in first.grads.items()
        if isinstance(note.given, list | tuple | dict) and is_gradient(note)
        for way, value in flat(note.given).items()
    ]
    returned = [(way, way, value, "grads") for way, value in flat(first.returned).items()]
    for at, way, value, container in [*listed, *returned]:
        array = array_of(value)
        if array is None or not may_be_gradient(array) or id(value) in skipped:
            continue
        key = re.split(r"\.", way)[-1]
        noted = noted_as(key, array, by_id.get(id(value), []))
        if noted is not None:
            noted.way, noted.container = way, noted.container or container
            if key and not key.startswith("["):
                noted.names.append((key, None))
        else:
            found.append(Array(at, array, [(key, None)], container, id(value), way=way))
            by_id.setdefault(id(value), []).append(found[-1])
    return found


def noted_as(key, array, several):
    """Return which of several Arrays of one id is what is returned: best one of that name."""
    if not several or not is_unchanged(several[-1], array):
        return None
    alike = [one for one in several if is_unchanged(one, array)]
    named = (one for one in alike if any(name == key for name, _ in one.names))
    return next(named, several[-1])


def may_be_gradient(array):
    """Say whether what is returned may be a gradient; one that was cast to whole numbers may."""
    return array.size and (array.dtype.kind == "f" or (array.dtype.kind == "i" and array.ndim))


def is_gradient(note):
    """Say whether a list or a dict that was noted may hold gradients, by its name."""
    return bool(GRADIENTS.fullmatch(note.name)) or any(True for _ in bases_of(note.name))


def of_leaves(leaves, first, data, grads, targets=Y_NAMES):
    """Return the gradients of parameters and inputs, by their names.

    `data` has the names by the ids of the arrays that the passes were given; what is called as the
    `targets` has no gradient.
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
        if name in targets:
            continue
        fitting = [g for g in grads if is_of(g, name, names[name], known)]
        best = [g for g in fitting if g.way == name or g.way.endswith(f".{name}")]
        best = best or [g for g in fitting if g.way] or fitting
        best = [g for g in best if g.value.shape == np.shape(leaf)] or best
        if best:
            found[name] = best[-1]
    found = found or by_order(first, grads)
    free = {name: leaf for name, leaf in leaves.items() if name not in {*found, *targets}}
    return found | of_nameless(without(grads, found.values()), free, first, known)


def of_nameless(grads, leaves, first, known):
    """Return the gradients that are called after nothing: `J, grad = cost(theta)`.

    They are those of the one parameter of their shape; not what a helper calls so on the way.
    """
    found: dict[str, Array] = {}
    for grad in grads:
        is_last = bool(grad.way) or first.programme.is_one
        is_own = not grad.arguments and not any(
            base in known for n, _ in grad.names for base in bases_of(n)
        )
        alike = [n for n, w in leaves.items() if np.shape(w) == grad.value.shape and n not in found]
        if is_last and is_own and is_nameless(grad) and len(alike) == 1:
            found[alike[0]] = grad
    return found


def is_nameless(grad):
    """Say whether a gradient is called after nothing."""
    return NAMELESS.fullmatch(grad.names[-1][0]) is not None


def without(grads, taken):
    """Return gradients without those that are taken."""
    taken = {id(grad) for grad in taken}
    return [grad for grad in grads if id(grad) not in taken]


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


def by_order(first, grads):
    """Return the gradients that a backward pass returns as a tuple, in the parameters' order."""
    params, ways = first.params, list(flat(first.returned))
    returned = [grad for grad in grads if grad.way in ways]
    returned.sort(key=lambda grad: ways.index(grad.way))
    shapes = [np.shape(param) for param in params.values()]
    if not params or [grad.value.shape for grad in returned] != shapes:
        return {}
    return dict(zip(params, returned, strict=True))
