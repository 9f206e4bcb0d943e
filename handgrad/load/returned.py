"""Gradients that a backward pass returns: under no name, in the parameters' order, or turned."""

import numpy as np

from handgrad.load.arrays import bases_of, is_near
from handgrad.load.nested import flat


def is_local(grad):
    """Say whether a gradient is a local only: nothing returns it, and nothing keeps it."""
    return not grad.way and not grad.is_kept


def returned_for(found, leaves, grads):
    """Return what is returned under no name, `2 * dw`, for the one leaf of its shape.

    The local that goes into it, `dw`, may be right where that is not.
    """
    nameless = [
        g
        for g in grads
        if isinstance(g.at, str) or not g.shown  # only what was returned, and is not kept
        if g.way and not any(bases_of(name, g.container) for name, _ in g.names if name)
    ]
    better = {}
    for name, local in found.items():
        shape = np.shape(leaves[name])
        alike = [other for other, leaf in leaves.items() if np.shape(leaf) == shape]
        fitting = [grad for grad in nameless if grad.value.shape == shape]
        if is_local(local) and alike == [name] and len(fitting) == 1:
            better[name] = fitting[0]
    return better


def in_their_order(found, slopes):
    """Return the gradients of leaves, those of lists that run backwards turned round; and notes.

    `dX = [backward(d) for d in reversed(...)]` has that of the last x first: so it is where all
    entries are, by their numbers, those of the other end. `slopes` has autograd's as `grad_X[0]`.
    """
    lists: dict[str, list[str]] = {}
    for name in found:
        if name.endswith("]") and f"grad_{name}" in slopes:
            lists.setdefault(name.rpartition("[")[0], []).append(name)
    turned, notes = dict(found), []
    for stem, names in lists.items():
        other = dict(zip(names, reversed(names), strict=True))
        is_off = not all(is_near(found[n].value, slopes[f"grad_{n}"]) for n in names)
        if is_off and all(is_near(found[other[n]].value, slopes[f"grad_{n}"]) for n in names):
            turned |= {name: found[other[name]] for name in names}
            notes.append(f"The gradients of `{stem}` are listed from the last to the first.")
    return turned, notes


def by_order(first, grads):
    """Return the gradients that a backward pass returns as a tuple, in the parameters' order."""
    params, ways = first.params, list(flat(first.returned))
    returned = [grad for grad in grads if grad.way in ways]
    returned.sort(key=lambda grad: ways.index(grad.way))
    shapes = [np.shape(param) for param in params.values()]
    if not params or [grad.value.shape for grad in returned] != shapes:
        return {}
    return dict(zip(params, returned, strict=True))
