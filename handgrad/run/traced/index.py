"""Keys of arrays: as NumPy reads them, and as PyTorch takes them."""

import operator

import numpy as np
import torch

ONLY_WHOLE = frozenset([int])


def parsed(key):
    """Return a key as a tuple of whole numbers, slices, None, Ellipsis and NumPy arrays."""
    if type(key) is not tuple:
        return (part_of(key),)
    return key if ONLY_WHOLE.issuperset(map(type, key)) else tuple(map(part_of, key))


def part_of(part):
    """Return one part of a key; arrays, lists and masks as a NumPy array."""
    kind = type(part)
    if kind is int or part is None or part is Ellipsis:
        return part
    if kind is slice:
        if any(type(end) not in (int, type(None)) for end in (part.start, part.stop, part.step)):
            ends = (part.start, part.stop, part.step)
            return slice(*(None if end is None else operator.index(end) for end in ends))
        return part
    array = np.asarray(part)
    if array.size == 0 and array.dtype.kind == "f":
        array = array.astype(int)  # the key []
    if array.ndim == 0 and array.dtype.kind in "iu":
        return int(array)
    if array.dtype.kind not in "iub":
        raise IndexError("arrays used as indices must be of integer (or boolean) type")
    return array


def is_basic(parts):
    """Say whether NumPy takes a view at a key, not a copy."""
    return np.ndarray not in map(type, parts)


def is_entry(parts, ndim):
    """Say whether a key has a whole number for each axis."""
    return len(parts) == ndim and ONLY_WHOLE.issuperset(map(type, parts))


def has_reverse(parts):
    """Say whether a part of a key runs backwards, which PyTorch has not."""
    return any(type(part) is slice and (part.step or 1) < 0 for part in parts)


def positions_of(shape):
    """Return where the entries of an array of this shape are when it is flattened."""
    return np.arange(np.prod(shape, dtype=int)).reshape(tuple(shape))


def key_at(places, shape):
    """Return PyTorch's key for places of the flattened array."""
    # torch.unravel_index does the same, but loads SymPy
    return tuple(map(torch.from_numpy, np.unravel_index(np.asarray(places), tuple(shape))))


def torch_key(parts, shape):
    """Return a key with arrays in it as one that PyTorch takes as NumPy does.

    PyTorch lacks steps backwards, and takes a whole number among arrays for something else.
    """
    arrays = [part for part in parts if type(part) is np.ndarray]
    if len(parts) == 1 and arrays and arrays[0].ndim:
        return (torch.from_numpy(np.ascontiguousarray(arrays[0])),)
    if has_reverse(parts) or any(array.dtype.kind == "b" for array in arrays):
        places = positions_of(shape)[parts]
        return key_at(places, shape)
    whole = [part for part in parts if type(part) in (int, np.ndarray)]
    broadcast = iter(np.broadcast_arrays(*whole))
    return tuple(
        torch.from_numpy(np.array(next(broadcast))) if type(part) in (int, np.ndarray) else part
        for part in parts
    )


def distinct(key, shape, value):
    """Return a key and a value to be written there, without places that are named twice.

    NumPy keeps the last of them; autograd would pass a gradient to all.
    """
    if type(value) is not torch.Tensor or not value.requires_grad or key[0].dtype is torch.bool:
        return key, value
    numpy_key = tuple(part.numpy() if type(part) is torch.Tensor else part for part in key)
    places = positions_of(shape)[numpy_key]
    last = places.size - 1 - np.unique(places.reshape(-1)[::-1], return_index=True)[1]
    if last.size == places.size:
        return key, value
    kept = torch.from_numpy(np.sort(last))
    return key_at(places.reshape(-1)[np.sort(last)], shape), value.expand(places.shape).reshape(-1)[
        kept
    ]


def place_of(key, shape):
    """Return where the entry at whole numbers, one an axis, is in the flattened array."""
    place = 0
    for axis, (at, length) in enumerate(zip(key, shape, strict=True)):
        if not -length <= at < length:
            raise IndexError(f"index {at} is out of bounds for axis {axis} with size {length}")
        place = place * length + at % length
    return place


def are_apart(a, b, shape):
    """Say whether two keys of an array, basic ones, are sure to have no entry in common."""
    if a is None or b is None:
        return False
    for one, other, length in zip(a, b, shape, strict=False):
        if type(one) not in (int, slice) or type(other) not in (int, slice):
            return False
        (low, high), (other_low, other_high) = span(one, length), span(other, length)
        if high < other_low or other_high < low:
            return True
    return False


def span(part, length):
    """Return the first and the last place along an axis that a whole number or a slice has."""
    if type(part) is int:
        return part % length, part % length
    places = range(*part.indices(length))
    return (min(places[0], places[-1]), max(places[0], places[-1])) if places else (length, -1)
