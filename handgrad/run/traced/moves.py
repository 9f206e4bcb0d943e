"""Functions that only move entries: NumPy moves their positions, and they are taken from there."""

import numpy as np
import torch

from handgrad.run.traced.array import FUNCTIONS, Traced, tensor_of
from handgrad.run.traced.functions import numpy_function
from handgrad.run.traced.making import all_plain, contains
from handgrad.run.traced.tensors import alike, from_numpy
from handgrad.run.traced.ufuncs import given_out

# Which of a function's arguments have entries that it moves (None: all have); the others say how.
MOVES = {
    **dict.fromkeys(["append", "block", "meshgrid"]),
    **dict.fromkeys(["delete", "diag", "diagflat", "pad", "repeat", "resize", "roll"], (0,)),
    **dict.fromkeys(["take", "tile", "tril", "triu", "unstack"], (0,)),
    **dict.fromkeys(["atleast_1d", "atleast_2d", "atleast_3d"], (0,)),
    "insert": (0, 2),
    "choose": (1,),
}
# What these arguments are called when they are given by name.
NAMES = frozenset(["a", "A", "arr", "array", "arrays", "choices", "m", "v", "values", "x"])
PADDED_BY_MOVING = ("constant", "edge", "reflect", "symmetric", "wrap")


def moved(function, of, *arguments, **keywords):
    """Return what a function of NumPy's makes that moves entries, or puts zeros between them.

    It is called with the positions of the entries of its arguments `of`, from 1 on, in their
    place; a 0 is a zero.
    """
    pool = [torch.zeros(1, dtype=first_dtype((arguments, keywords)))]

    def positions(value):
        if type(value) in (list, tuple):
            return type(value)(map(positions, value))
        if value is None or isinstance(value, str):  # in the key of np.r_
            return value
        tensor = tensor_of(value)
        start = sum(map(len, pool))
        pool.append(tensor.reshape(-1))
        return np.arange(start, start + tensor.numel()).reshape(tuple(tensor.shape))

    arguments = tuple(
        positions(argument) if of is None or number in of else all_plain(argument)
        for number, argument in enumerate(arguments)
    )
    for name, value in keywords.items():
        keywords[name] = positions(value) if name in NAMES else all_plain(value)
    places = function(*arguments, **keywords)
    entries = torch.cat(alike(*pool))
    if isinstance(places, (list, tuple)):
        return type(places)(Traced(entries[from_numpy(part)]) for part in places)
    return Traced(entries[from_numpy(np.asarray(places))])


def first_dtype(value):
    """Return the dtype of the first traced array of floating point in nested arguments."""
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, (list, tuple)):
        return next((dtype for dtype in map(first_dtype, value) if dtype is not None), None)
    return value._known.dtype if type(value) is Traced and is_float(value) else None


def is_float(array):
    """Say whether a traced array is of floating point."""
    return array._known.dtype.is_floating_point


def move_function(function, of):
    """Return a function of NumPy's that moves entries for traced arrays."""

    def call(*arguments, out=None, **keywords):
        if contains((arguments, keywords), is_float):
            result = moved(function, of, *arguments, **keywords)
        else:
            result = FUNCTIONS["_through_numpy"](function, *arguments, **keywords)
        return result if out is None else given_out(tensor_of(result), out, function.__name__)

    return call


def one_by_one(function):
    """Return a function that also takes several arrays and gives as many."""

    def call(*arrays):
        results = tuple(map(function, arrays))
        return results if len(results) != 1 else results[0]

    return call


for _name, _of in MOVES.items():
    if hasattr(np, _name):
        FUNCTIONS[_name] = move_function(getattr(np, _name), _of)
for _name in ("atleast_1d", "atleast_2d", "atleast_3d"):
    FUNCTIONS[_name] = one_by_one(FUNCTIONS[_name])


class Joiner:
    """np.r_ or np.c_."""

    def __init__(self, original):
        self._original = original

    def __getitem__(self, key):
        parts = key if isinstance(key, tuple) else (key,)
        if not contains(parts, is_float):
            return FUNCTIONS["_through_numpy"](self._original.__getitem__, key)
        parts = tuple(np.r_[part] if isinstance(part, slice) else part for part in parts)
        return moved(self._original.__getitem__, None, parts)


@numpy_function("broadcast_arrays")
def broadcast_arrays(*arrays, subok=False):
    """Return the arrays, each broadcast to the shape of all."""
    shape = np.broadcast_shapes(*(tuple(tensor_of(array).shape) for array in arrays))
    return tuple(FUNCTIONS["broadcast_to"](array, shape) for array in arrays)


@numpy_function("compress")
def compress(condition, a, axis=None):
    """Return the parts along an axis where a condition is true."""
    return FUNCTIONS["take"](a, np.flatnonzero(all_plain(condition)), axis)


@numpy_function("extract")
def extract(condition, arr):
    """Return the entries where a condition is true, in a row."""
    return FUNCTIONS["take"](arr, np.flatnonzero(all_plain(condition)))


@numpy_function("pad")
def pad(array, pad_width, mode="constant", **keywords):
    """Return the array with entries around it."""
    value = keywords.pop("constant_values", 0)
    if mode not in PADDED_BY_MOVING or keywords.get("reflect_type") == "odd":
        return FUNCTIONS["_unknown"](np.pad)(array, pad_width, mode, **keywords)
    if not contains(array, is_float):
        keywords |= {"constant_values": value} if mode == "constant" else {}
        return FUNCTIONS["_through_numpy"](np.pad, array, pad_width, mode, **keywords)
    result = moved(np.pad, (0,), array, pad_width, mode, **keywords)
    if mode != "constant" or (isinstance(value, (int, float)) and value == 0):
        return result
    inside = np.pad(np.ones(array.shape, bool), all_plain(pad_width))
    filler = np.pad(np.zeros(array.shape), all_plain(pad_width), constant_values=all_plain(value))
    return FUNCTIONS["where"](inside, result, filler)
