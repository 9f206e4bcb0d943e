"""Buffers of the reference that the user has as well, in more digits or with other statistics."""

import numpy as np

from handgrad.load.names import array_of, find
from handgrad.load.parameters import NORMS
from handgrad.load.weights import fitted
from handgrad.run.precision import to_numpy

STATISTICS = ("running_mean", "running_var")


def pair_buffers(model, quantities):
    """Return which of a user's arrays stand for which buffer: dicts of arrays and names by path.

    The running statistics that a norm uses are state, as weights are: the user's are put in. Any
    other buffer is a constant of the reference; a user's is put in where it is the same number
    with more digits (0.1 in float64 for 0.1 in float32).
    """
    buffers = dict(model.named_buffers())
    attributes = [path.rpartition(".")[2] for path in buffers]
    arrays: dict[str, np.ndarray] = {}
    own: dict[str, str] = {}
    for path, buffer in buffers.items():
        owner, _, attribute = path.rpartition(".")
        candidates = [path, path.replace(".", "_")] + [attribute] * (
            attributes.count(attribute) < 2
        )
        name = find(quantities, candidates, buffer.numel() == 1)
        if name is None or not buffer.is_floating_point():
            continue
        array = fitted(array_of(quantities[name], buffer.numel() == 1), tuple(buffer.shape))
        if array.dtype.kind != "f" or array.shape != tuple(buffer.shape):
            continue
        is_state = attribute in STATISTICS and isinstance(model.get_submodule(owner), NORMS)
        if is_state or is_rounded(to_numpy(buffer), array):
            arrays[path], own[path] = array, name
    return arrays, own


def is_rounded(narrow, array):
    """Say whether an array is another one with more digits."""
    return narrow.dtype.itemsize < array.dtype.itemsize and np.array_equal(
        array.astype(narrow.dtype), narrow
    )
