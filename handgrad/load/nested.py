"""Arrays in dicts, lists, tuples and objects: each by the way to it, and put back in."""

from typing import Any

import numpy as np

DEEP = 6  # of structures in structures

Structure = Any


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
    if depth >= DEEP:
        return structure
    made = {
        k: rebuilt(p, arrays, joined(way, k, structure), depth + 1) for k, p in parts(structure)
    }
    if hasattr(structure, "keys"):
        return type(structure)(made) if type(structure) is dict else made
    if isinstance(structure, tuple) and hasattr(structure, "_fields"):
        return type(structure)(*made.values())
    if isinstance(structure, list | tuple):
        return type(structure)(made.values())
    return structure


def parts(structure):
    """Return the keys and the parts of a structure: none of anything else."""
    if hasattr(structure, "keys"):
        return [(key, structure[key]) for key in structure.keys()]  # noqa: SIM118 (no Mapping)
    if isinstance(structure, list | tuple):
        return list(enumerate(structure))
    return []


def joined(way, key, structure):
    """Return the way to a part."""
    if isinstance(structure, list | tuple):
        return f"{way}[{key}]"
    return f"{way}.{key}" if way else str(key)


def is_tensor(value):
    """Say whether this is a traced array or a tensor."""
    return hasattr(value, "tensor") or hasattr(value, "detach")
