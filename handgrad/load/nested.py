"""Arrays in dicts, lists, tuples and a user's own objects: each by the way to it."""

import copy
import types
from typing import Any

import numpy as np

DEEP = 6  # of structures in structures
NO_HOLDERS = (types.ModuleType, types.FunctionType, types.MethodType, type, np.random.Generator)


def flat(structure, way="", depth=0):
    """Return the arrays and numbers in a structure by the way to each: `w1`, `layers[0].w`."""
    if isinstance(structure, np.ndarray | np.generic | float | int) or is_tensor(structure):
        return {way: structure}
    found: dict[str, Any] = {}
    if depth < DEEP:
        for key, part in parts(structure):
            found |= flat(part, joined(way, key, structure), depth + 1)
    return found


def rebuilt(structure, arrays, way="", depth=0):
    """Return a copy of a structure with the arrays in `arrays`, by their ways, in their places."""
    if way in arrays:
        return arrays[way]
    if depth >= DEEP or not isinstance(structure, dict | list | tuple):
        return structure
    ways = {key: joined(way, key, structure) for key, _ in parts(structure)}
    made = {key: rebuilt(part, arrays, ways[key], depth + 1) for key, part in parts(structure)}
    if isinstance(structure, dict):
        return type(structure)(made) if type(structure) is dict else made
    if hasattr(structure, "_fields"):
        return type(structure)(*made.values())
    return type(structure)(made.values())


def parts(structure):
    """Return the keys and the parts of a dict, a list, a tuple or an object; of others none."""
    if hasattr(structure, "keys"):
        return [(key, structure[key]) for key in structure.keys()]  # noqa: SIM118 (no Mapping)
    if isinstance(structure, list | tuple):
        return list(enumerate(structure))
    if isinstance(structure, NO_HOLDERS):
        return []
    return [(f".{name}", part) for name, part in attributes_of(structure).items()]


def attributes_of(value):
    """Return the attributes of an object by name, those in slots as well."""
    slots = [name for c in type(value).__mro__ for name in listed(vars(c).get("__slots__", ()))]
    inside = {n: getattr(value, n) for n in slots if n[:2] != "__" and hasattr(value, n)}
    return {**inside, **getattr(value, "__dict__", {})}


def listed(names):
    """Return the names of slots as a tuple: of one slot it is a text."""
    return (names,) if isinstance(names, str) else tuple(names)


def joined(way, key, structure):
    """Return the way to a part."""
    if isinstance(structure, list | tuple):
        return f"{way}[{key}]"
    if isinstance(key, str) and key.startswith("."):
        return f"{way}{key}" if way else key[1:]
    return f"{way}.{key}" if way else str(key)


def is_tensor(value):
    """Say whether this is a traced array or a tensor."""
    return hasattr(value, "tensor") or hasattr(value, "detach")


def floats_in(values):
    """Return the float arrays that a dict of values holds, by the way to each; each array once."""
    found: dict[str, np.ndarray] = {}
    seen: set[int] = set()
    waiting = [(str(name), value, 0) for name, value in reversed(values.items())]
    while waiting:
        way, value, depth = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, np.ndarray):
            if value.dtype.kind == "f" and value.size:
                found[way] = value
        elif depth < DEEP:
            inner = [(joined(way, key, value), part, depth + 1) for key, part in parts(value)]
            waiting += reversed(inner)
    return found


def holders_of(values):
    """Return which objects hold each float array: pairs of the object's id and the name there.

    Of `layer.params["w"]` that is `w` in the layer, of `net.weights[0]` it is `weights[0]` in net.
    """
    found: dict[int, list[tuple[str, int]]] = {}
    seen: set[int] = set()
    waiting: list[tuple[Any, int | None, str, int]]
    waiting = [(value, None, "", 0) for value in values.values()]
    while waiting:
        value, owner, name, depth = waiting.pop()
        if isinstance(value, np.ndarray):
            if owner is not None:
                found.setdefault(id(value), []).append((name, owner))
            continue
        if id(value) in seen or depth >= DEEP:
            continue
        seen.add(id(value))
        is_object = not (hasattr(value, "keys") or isinstance(value, list | tuple))
        for key, part in parts(value):
            of = id(value) if is_object else owner
            known = str(key).lstrip(".") if not isinstance(key, int) else f"{name}[{key}]"
            waiting.append((part, of, known, depth + 1))
    return found


def copied(value: Any, memo: dict[int, Any]) -> Any:
    """Return a copy of a value, with arrays by their ids in `memo` in place of those in it."""
    try:
        return copy.deepcopy(value, memo)
    except Exception:  # a file, a lock: it is no number
        return value


def own_copy(array):
    """Return a copy of an array; a traced one, which is this run's alone, as it is."""
    return array if is_tensor(array) else np.array(array)
