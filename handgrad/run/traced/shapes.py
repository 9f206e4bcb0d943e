"""Functions of NumPy's that give views, join arrays, or only move entries."""

import numpy as np
import torch

from handgrad.run.traced.array import FUNCTIONS, Traced, plain, tensor_like, tensor_of
from handgrad.run.traced.functions import numpy_function
from handgrad.run.traced.index import key_at, positions_of
from handgrad.run.traced.refusal import Untraceable
from handgrad.run.traced.tensors import alike, from_numpy, torch_dtype
from handgrad.run.traced.ufuncs import given_out


def array_of(value):
    """Return what NumPy's functions take for an array as a Traced, itself where it is one."""
    return value if type(value) is Traced else Traced(tensor_of(value))


def view_by(name, read):
    """Enter a function of NumPy's that gives a view; `read` says how PyTorch gives one."""

    def function(a, *arguments, **keywords):
        a = array_of(a)
        arguments = tuple(map(plain, arguments))
        return a._view(lambda tensor: read(tensor, *arguments, **keywords))

    FUNCTIONS[name] = function


def transposed(tensor, *order, axes=None):
    """Return the tensor with its axes in another order, reversed if none is given."""
    axes = order if axes is None else axes
    if len(axes) == 1 and not isinstance(axes[0], (int, np.integer)):
        (axes,) = axes
    return tensor.permute(tuple(axes) if axes else tuple(reversed(range(tensor.ndim))))


def squeezed(tensor, axis=None):
    """Return the tensor without axes of length 1."""
    return tensor.squeeze() if axis is None else tensor.squeeze(axis)


def expanded(tensor, axis):
    """Return the tensor with axes of length 1 put in."""
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    ndim = tensor.ndim + len(axes)
    for one in sorted(one % ndim for one in axes):
        tensor = tensor.unsqueeze(one)
    return tensor


view_by("transpose", transposed)
view_by("swapaxes", lambda tensor, axis1, axis2: tensor.transpose(axis1, axis2))
view_by("moveaxis", lambda tensor, source, destination: tensor.movedim(source, destination))
view_by("squeeze", squeezed)
view_by("expand_dims", expanded)
view_by("broadcast_to", lambda tensor, shape, subok=False: tensor.broadcast_to(shape))
view_by("diagonal", torch.diagonal)
view_by("matrix_transpose", lambda tensor: tensor.mT)


def view_of_positions(name, function):
    """Enter a function of NumPy's that gives a view which PyTorch has not."""

    def call(a, *arguments, **keywords):
        a = array_of(a)
        arguments = tuple(map(plain, arguments))
        return a._view_at(function(positions_of(a.shape), *arguments, **keywords))

    FUNCTIONS[name] = call


for _name in ("flip", "fliplr", "flipud", "rot90", "rollaxis"):
    view_of_positions(_name, getattr(np, _name))
view_of_positions("lib.stride_tricks.sliding_window_view", np.lib.stride_tricks.sliding_window_view)


@numpy_function("lib.stride_tricks.as_strided")
def as_strided(x, shape=None, strides=None, **_):
    """Return a view with these strides in bytes, of the array taken as one without gaps."""
    x = array_of(x)
    shape = x.shape if shape is None else tuple(shape)
    steps = np.array(x.strides if strides is None else plain(strides)) // x.itemsize
    places = np.tensordot(steps, np.indices(shape), 1)
    if places.size and not 0 <= places.min() <= places.max() < x.size:
        raise Untraceable("np.lib.stride_tricks.as_strided reaches beyond the array it is given.")
    return x._view_at(places)


@numpy_function("reshape")
def reshape(a, *shape, order="C", **keywords):
    """Return a view of another shape, or a copy where memory's order allows no view."""
    a = array_of(a)
    shape = plain(keywords.get("shape", shape[0] if len(shape) == 1 else shape))
    shape = tuple(map(int, shape)) if np.iterable(shape) else (int(shape),)
    if order == "F":
        return FUNCTIONS["transpose"](reshape(FUNCTIONS["transpose"](a), *reversed(shape)))
    try:
        a._known.view(shape)
    except RuntimeError:
        return Traced(a.tensor.reshape(shape))
    return a._view(lambda tensor: tensor.reshape(shape))


@numpy_function("ravel")
def ravel(a, order="C"):
    """Return the entries in a row: a view where memory has them so."""
    return reshape(a, -1, order=order)


@numpy_function("flatten")
def flatten(a, order="C"):
    """Return a copy of the entries in a row."""
    return Traced(reshape(a, -1, order=order).tensor)


def joined(name, join):
    """Enter a function that joins arrays; `join` takes a list of tensors of one dtype."""

    def function(arrays, *arguments, out=None, dtype=None, casting=None, **keywords):
        tensors = alike(*map(tensor_of, arrays))
        result = join(tensors, *arguments, **keywords)
        result = result if dtype is None else result.to(torch_dtype(dtype))
        return given_out(result, out, name)

    FUNCTIONS[name] = function


def concatenated(tensors, axis=0):
    """Return tensors one after the other."""
    if axis is None:
        return torch.cat([tensor.reshape(-1) for tensor in tensors])
    return torch.cat(tensors, axis)


joined("concatenate", concatenated)
joined("stack", lambda tensors, axis=0: torch.stack(tensors, axis))
joined("vstack", torch.vstack)
joined("hstack", torch.hstack)
joined("dstack", torch.dstack)
joined("column_stack", torch.column_stack)


def split_by(name, axis_of):
    """Enter a function that splits an array into views along an axis."""

    def function(ary, indices_or_sections, *arguments, **keywords):
        ary = array_of(ary)
        axis = axis_of(ary, *arguments, **keywords) % ary.ndim
        sections = plain(indices_or_sections)
        sections = sections if isinstance(sections, int) else list(sections)
        divide = np.array_split if name == "array_split" else np.split
        before = (slice(None),) * axis
        return [
            ary[(*before, slice(int(part[0]), int(part[-1]) + 1) if len(part) else slice(0, 0))]
            for part in divide(np.arange(ary.shape[axis]), sections)
        ]

    FUNCTIONS[name] = function


split_by("split", lambda ary, axis=0: axis)
split_by("array_split", lambda ary, axis=0: axis)
split_by("vsplit", lambda ary: 0)
split_by("hsplit", lambda ary: 1 if ary.ndim > 1 else 0)
split_by("dsplit", lambda ary: 2)


@numpy_function("take_along_axis")
def take_along_axis(arr, indices, axis=-1):
    """Return the entries at indices along an axis."""
    arr = array_of(arr)
    if axis is None:
        return arr.reshape(-1)[indices]
    places = np.take_along_axis(positions_of(arr.shape), plain(indices), axis)
    return Traced(arr.tensor.reshape(-1)[from_numpy(places)])


def written_at(a, places, values):
    """Write values at places of the flattened array."""
    key = key_at(places, a.shape)
    value = tensor_like(values, a.tensor)
    a._write(lambda tensor: tensor.__setitem__(key, value))


@numpy_function("put_along_axis")
def put_along_axis(arr, indices, values, axis):
    """Write values at indices along an axis."""
    written_at(arr, np.take_along_axis(positions_of(arr.shape), plain(indices), axis), values)


@numpy_function("fill_diagonal")
def fill_diagonal(a, val, wrap=False):
    """Write a value, or values, along the diagonal."""
    if a.ndim != 2 or wrap:
        raise Untraceable("Handgrad can follow np.fill_diagonal of matrices alone.")
    written_at(a, np.diagonal(positions_of(a.shape)), val)


@numpy_function("copyto")
def copyto(dst, src, casting="same_kind", where=True):
    """Write an array into another."""
    dst[...] = src if where is True else FUNCTIONS["where"](where, src, dst)


@numpy_function("put")
def put(a, ind, v, mode="raise"):
    """Write values at places of the flattened array."""
    written_at(a, plain(ind), v)


@numpy_function("putmask")
def putmask(a, mask, values):
    """Write values where a mask is true."""
    a[...] = FUNCTIONS["where"](mask, values, a)


@numpy_function("select")
def select(condlist, choicelist, default=0):
    """Return the entries of the first choice whose condition is true."""
    result = default
    for condition, choice in reversed(list(zip(condlist, choicelist, strict=True))):
        result = FUNCTIONS["where"](condition, choice, result)
    return result


@numpy_function("piecewise")
def piecewise(x, condlist, funclist, *arguments, **keywords):
    """Return what each function gives where its condition is true."""
    x, condlist = array_of(x), list(condlist) if isinstance(condlist, (list, tuple)) else [condlist]
    if len(funclist) == len(condlist) + 1:
        condlist.append(~np.any([plain(c) for c in condlist], axis=0))
    result = FUNCTIONS["zeros_like"](x)
    for condition, function in zip(condlist, funclist, strict=True):
        if callable(function):
            result[condition] = function(x[condition], *arguments, **keywords)
        else:
            result[condition] = function
    return result
