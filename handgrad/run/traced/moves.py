"""Functions that only move entries: NumPy moves their positions, and they are taken from there."""

import numpy as np
import torch

from handgrad.run.traced.array import FUNCTIONS, Traced, tensor_of
from handgrad.run.traced.functions import numpy_function
from handgrad.run.traced.making import all_plain, contains
from handgrad.run.traced.tensors import alike, from_numpy
from handgrad.run.traced.ufuncs import given_out

# fmt: off
MOVES = (
    "append", "atleast_1d", "atleast_2d", "atleast_3d", "block", "broadcast_arrays", "choose",
    "delete", "diag", "diagflat", "insert", "meshgrid", "pad", "repeat",
    "resize", "roll", "take", "tile", "tril", "triu", "unstack",
)
# fmt: on
PADDED_BY_MOVING = ("constant", "edge", "reflect", "symmetric", "wrap")


def moved(function, *arguments, **keywords):
    """Return what a function of NumPy's makes that moves entries, or puts zeros between them.

    It is called with their positions, from 1 on, in place of them; a 0 is a zero.
    """
    pool = [torch.zeros(1, dtype=first_dtype((arguments, keywords)))]

    def positions(value):
        if type(value) is Traced and value._known.dtype.is_floating_point:
            start = sum(map(len, pool))
            pool.append(value.tensor.reshape(-1))
            return np.arange(start, start + value.size).reshape(value.shape)
        if isinstance(value, float) or getattr(value, "dtype", np.dtype(int)).kind == "f":
            return positions(Traced(tensor_of(value)))
        if type(value) in (list, tuple):
            return type(value)(map(positions, value))
        return all_plain(value)

    arguments = tuple(map(positions, arguments))
    keywords = {name: positions(value) for name, value in keywords.items()}
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


def move_function(function):
    """Return a function of NumPy's that moves entries for traced arrays."""

    def call(*arguments, out=None, **keywords):
        make = moved if contains((arguments, keywords), is_float) else FUNCTIONS["_through_numpy"]
        result = make(function, *arguments, **keywords)
        return result if out is None else given_out(tensor_of(result), out, function.__name__)

    return call


for _name in MOVES:
    if hasattr(np, _name):
        FUNCTIONS[_name] = move_function(getattr(np, _name))


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
    result = moved(np.pad, array, all_plain(pad_width), mode, **keywords)
    if mode != "constant" or (isinstance(value, (int, float)) and value == 0):
        return result
    inside = np.pad(np.ones(array.shape, bool), all_plain(pad_width))
    filler = np.pad(np.zeros(array.shape), all_plain(pad_width), constant_values=all_plain(value))
    return FUNCTIONS["where"](inside, result, filler)
