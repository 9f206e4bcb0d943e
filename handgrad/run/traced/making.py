"""Functions of NumPy's that make arrays, and an array's methods that are no functions."""

import numpy as np
import torch

from handgrad.run.traced.array import FUNCTIONS, Traced, plain, tensor_of
from handgrad.run.traced.functions import numpy_function
from handgrad.run.traced.refusal import Untraceable
from handgrad.run.traced.tensors import alike, from_numpy, is_numeric, numpy_dtype, torch_dtype


def wrapped(value):
    """Return a result of NumPy's with its arrays as traced ones, which may be written into."""
    if type(value) is np.ndarray and is_numeric(value):
        return Traced(from_numpy(value), is_read=value.base is not None)
    if isinstance(value, (tuple, list)):
        parts = [wrapped(part) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    return value


def contains(value, test):
    """Say whether there is a traced array that passes a test in lists and tuples of any depth."""
    if type(value) is Traced:
        return test(value)
    if isinstance(value, (list, tuple)):
        return any(contains(part, test) for part in value)
    return isinstance(value, dict) and any(contains(part, test) for part in value.values())


def has_gradient(value):
    """Say whether a value is, or has in it, an array that autograd follows."""
    return contains(value, lambda array: array.tensor.requires_grad)


def all_plain(value):
    """Return a value with plain arrays for the traced ones in it."""
    if type(value) is Traced:
        return plain(value) if value.ndim else plain(value)[()]
    if type(value) in (list, tuple):
        return type(value)(map(all_plain, value))
    if type(value) is dict:
        return {name: all_plain(part) for name, part in value.items()}
    return getattr(value, "stands_for", value) if isinstance(value, type) else value


@numpy_function("array")
def array(value, dtype=None, *, copy=True, ndmin=0, order=None, **_):
    """Return a new array of a value, of nested lists of traced arrays too."""
    if type(value) is Traced:
        tensor = value.tensor.clone() if copy else value.tensor
    elif contains(value, lambda array: True):
        tensor = stacked(value)
    else:
        made = np.array(all_plain(value), all_plain(dtype), ndmin=ndmin)
        return wrapped(made)
    if dtype is not None:
        tensor = tensor.to(torch_dtype(all_plain(dtype)))
    return Traced(tensor.reshape((1,) * (ndmin - tensor.ndim) + tensor.shape))


def stacked(value):
    """Return nested lists of arrays and numbers as one tensor."""
    if not isinstance(value, (list, tuple)):
        return tensor_of(value)
    parts = alike(*map(stacked, value))
    if len({part.shape for part in parts}) > 1:
        raise ValueError("setting an array element with a sequence: the shapes differ")
    return torch.stack(parts)


@numpy_function("asarray", "asanyarray", "ascontiguousarray", "asfortranarray")
def asarray(value, dtype=None, **_):
    """Return the array itself if it is one of this dtype, else a new one."""
    if type(value) is Traced and dtype in (None, value.dtype):
        return value
    return array(value, dtype)


@numpy_function("asarray_chkfinite")
def asarray_chkfinite(value, dtype=None, **_):
    """Return the array; the check is NumPy's own run's."""
    return asarray(value, dtype)


@numpy_function("copy")
def copy(a, order="K", subok=False):
    """Return a copy."""
    return Traced(tensor_of(a).clone())


@numpy_function("full")
def full(shape, fill_value, dtype=None, **_):
    """Return a new array with one value throughout."""
    if not has_gradient(fill_value):
        return wrapped(np.full(all_plain(shape), all_plain(fill_value), all_plain(dtype)))
    result = FUNCTIONS["broadcast_to"](fill_value, all_plain(shape)).tensor
    return Traced(result.clone() if dtype is None else result.to(torch_dtype(all_plain(dtype))))


@numpy_function("full_like")
def full_like(a, fill_value, dtype=None, shape=None, **_):
    """Return a new array of another's shape and dtype with one value throughout."""
    return full(a.shape if shape is None else shape, fill_value, dtype or a.dtype)


@numpy_function("empty")
def empty(shape, dtype=float, **_):
    """Return a new array, of zeros: what is never written should be the same in each run."""
    return wrapped(np.zeros(all_plain(shape), all_plain(dtype)))


@numpy_function("empty_like")
def empty_like(prototype, dtype=None, shape=None, **_):
    """Return a new array of another's shape and dtype, of zeros."""
    shape = np.shape(all_plain(prototype)) if shape is None else shape
    return empty(shape, dtype or tensor_dtype(prototype))


def tensor_dtype(value):
    """Return the dtype that NumPy gives to a value."""
    return numpy_dtype(tensor_of(value).dtype)


@numpy_function("vectorize")
def vectorize(pyfunc, otypes=None, doc=None, excluded=None, cache=False, signature=None):
    """Return a function that calls `pyfunc` for each entry and puts the results together."""
    if signature is not None or excluded:
        raise Untraceable(
            "Handgrad cannot follow np.vectorize with signature= or excluded=: write a loop."
        )

    def call(*arrays):
        tensors = torch.broadcast_tensors(*map(tensor_of, arrays))
        rows = zip(*(map(Traced, tensor.reshape(-1)) for tensor in tensors), strict=True)
        return array([pyfunc(*row) for row in rows]).reshape(tuple(tensors[0].shape))

    return call


@numpy_function("apply_along_axis")
def apply_along_axis(func1d, axis, arr, *arguments, **keywords):
    """Return what a function makes of each row along an axis."""
    moved = FUNCTIONS["moveaxis"](arr, axis, -1)
    rows = FUNCTIONS["reshape"](moved, -1, moved.shape[-1])
    results = array([func1d(row, *arguments, **keywords) for row in rows])
    results = results.reshape(moved.shape[:-1] + results.shape[1:])
    return FUNCTIONS["moveaxis"](results, -1, axis) if results.ndim == moved.ndim else results


@numpy_function("ndenumerate")
def ndenumerate(a):
    """Return the places and entries of an array one by one."""
    return ((place, a[place]) for place in np.ndindex(np.shape(a)))


# Methods of an array


@numpy_function("astype")
def astype(a, dtype, copy=True, **_):
    """Return a copy in another dtype."""
    return Traced(a.tensor.to(torch_dtype(all_plain(dtype)), copy=copy))


@numpy_function("item")
def item(a, *place):
    """Return one entry; autograd goes on following it."""
    if not place and a.size != 1:
        raise ValueError("can only convert an array of size 1 to a Python scalar")
    if len(place) == 1 and isinstance(place[0], tuple):
        (place,) = place
    entry = a[place] if len(place) == a.ndim else a.reshape(-1)[place[0] if place else 0]
    return entry if entry.tensor.requires_grad else entry.tensor.item()


@numpy_function("tolist")
def tolist(a):
    """Return nested lists; autograd goes on following the entries."""
    if not a.tensor.requires_grad:
        return a.tensor.tolist()
    return [tolist(part) for part in a] if a.ndim else a


@numpy_function("fill")
def fill(a, value):
    """Write a value into all entries."""
    a[...] = value
