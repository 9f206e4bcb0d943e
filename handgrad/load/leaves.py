"""The gradients of what goes into a pass: the parameters and the inputs, wherever they lie."""

import re
from collections import Counter
from typing import Any

import numpy as np

from handgrad.load.arrays import (
    GRADIENTS,
    NAMELESS,
    Array,
    arrays_of,
    bases_of,
    is_unchanged,
    owner_of,
    same,
)
from handgrad.load.names import Y_NAMES, array_of
from handgrad.load.nested import flat, holders_of
from handgrad.load.returned import by_order, is_local, returned_for


def gradients_of(first, data):
    """Return the Arrays that may be gradients: what the backward pass assigned, and returned.

    `data` has the ids of the arrays that the passes were given.
    """
    skipped = set(data)
    if not first.programme.is_one:
        skipped |= {id(note.given) for note in first.values.values()}
    found = arrays_of(first.grads, skipped)
    if first.programme.is_one:  # what comes before the loss is the forward pass's
        at = first.programme.loss_at
        found = [grad for grad in found if grad.at > at or is_called_so(grad)]
    by_id: dict[int, list[Array]] = {}
    for array in found:
        by_id.setdefault(array.given, []).append(array)
    for at, way, value, container, owner in [*listed(first.grads), *returned(first)]:
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
            found.append(Array(at, array, [(key, owner)], container, id(value), way=way))
            by_id.setdefault(id(value), []).append(found[-1])
    return [grad for grad in found if grad.shown or grad.way]


def is_called_so(grad):
    """Say whether one of an Array's names is that of a gradient."""
    return any(bases_of(name) for name, _ in grad.names)


def listed(notes):
    """Yield what lies in the lists and dicts of gradients that were noted.

    Each comes with its place (see NotedPasses), the way to it, the name of what it lies in, and
    the object that this belongs to.
    """
    for number, note in notes.items():
        if isinstance(note.given, list | tuple | dict) and holds_gradients(note):
            for way, value in flat(note.given).items():
                named = f"{note.name}{way}" if way.startswith("[") else way
                yield (number, way), named, value, note.name, owner_of(note)


def returned(first):
    """Yield what the backward pass returned, likewise."""
    for way, value in flat(first.returned).items():
        yield way, way, value, "grads", None


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


def holds_gradients(note):
    """Say whether a list or a dict that was noted may hold gradients, by its name."""
    return bool(GRADIENTS.fullmatch(note.name) or bases_of(note.name))


def of_leaves(leaves, first, data, grads, targets=Y_NAMES):
    """Return the gradients of parameters and inputs, by their names.

    `data` has the names by the ids of the arrays that the passes were given; what is called as the
    `targets` has no gradient.
    """
    leaves = {name: leaf for name, leaf in leaves.items() if not is_for_grads(name)}
    names, known = names_of_leaves(leaves, first, data), {n.name for n in first.values.values()}
    wanted = {name: leaf for name, leaf in leaves.items() if name not in targets}
    found: dict[str, Array] = {}
    for name, leaf in wanted.items():
        fitting = fitting_of(name, names, grads, known)
        best = best_of(fitting, name, np.shape(leaf)) if fitting else None
        if best is not None and (name in first.params or is_or_fits(best, leaf)):
            found[name] = best
    in_order = by_order(first, grads)
    if in_order and all(in_order.get(n) is grad for n, grad in found.items() if not is_local(grad)):
        same = {n: g for n, g in found.items() if n in in_order and is_same(g, in_order[n])}
        found = found | in_order | same
    found |= returned_for(found, wanted, grads)
    free = {name: leaf for name, leaf in wanted.items() if name not in found}
    return found | of_nameless(without(grads, found.values()), free, first, known)


def is_or_fits(grad, leaf):
    """Say whether a gradient is that of an input: a layer's local `dx` is that of its own `x`."""
    return not is_local(grad) or squeezed(grad.value) == squeezed(leaf)


def is_same(grad, other):
    """Say whether two gradients are one, or the same numbers: then the line is the first's."""
    return grad is other or np.array_equal(grad.value, other.value)


def squeezed(array):
    """Return the shape of an array without axes of length 1."""
    return [side for side in np.shape(array) if side != 1]


def is_for_grads(name):
    """Say whether an array lies where an object keeps its gradients: `layer.gradients.w`."""
    return any(re.fullmatch(r"(?i)\w*grad(ient)?s?", part) for part in name.split(".")[:-1])


def fitting_of(name, names, grads, known):
    """Return the gradients that are called after a leaf: best after a name that no other leaf has.

    A helper may call the biases of all layers `bias`, and so all their gradients `dbias`.
    """
    others = set().union(*(names[other] for other in names if other != name))
    for own in (names[name] - others, names[name]):
        fitting = [grad for grad in grads if is_of(grad, name, own, known)]
        if fitting:  # what a helper calls `dw` may be `dv` outside of it
            taken = names.keys() - {name}
            free = [g for g in fitting if not (g.way and taken & {*bases_of(g.shown)})]
            return free or fitting
    return []


def names_of_leaves(leaves, first, data):
    """Return all names that each leaf has in the passes, each with the object that it has it in.

    A name that the forward pass assigns something else is none: of `x = x / 255` it is no more.
    """
    names: dict[str, set[tuple[str, Any]]] = {name: {(name, None)} for name in leaves}
    for name, short in short_names(leaves):
        names[name].add((short, None))
    own = {n.name for n in first.values.values() if not n.is_argument and id(n.given) not in data}
    for note in first.values.values():
        leaf = data.get(id(note.given))
        if leaf in names and note.name not in own:
            names[leaf].add((note.name, None))
    for held, known in holders_of(first.programme.held()).items():
        if data.get(held) in names:
            names[data[held]].update(known)
    return names


def best_of(grads, name, shape):
    """Return which of several gradients that are called after a leaf is meant: the last such.

    One that is returned under the leaf's name goes before what is returned at all, that before what
    an object keeps, and that before a local, which may be right where what is kept is not; one of
    the leaf's shape goes before others. Of `gradients["w"] += dw`, from zeros, it is dw: there is
    its line.
    """
    fitting = grads
    best = [grad for grad in grads if grad.way == name or grad.way.endswith(f".{name}")]
    best = best or [grad for grad in grads if grad.way]
    best = best or [grad for grad in grads if grad.is_kept] or grads
    last = ([grad for grad in best if grad.value.shape == shape] or best)[-1]
    added = [grad for grad in fitting if last.is_partial and np.array_equal(grad.value, last.value)]
    return ([grad for grad in added if grad.given != last.given] or [last])[-1]


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
