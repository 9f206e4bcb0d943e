"""Functions of NumPy's that multiply arrays: dot, einsum, linear algebra."""

import numpy as np
import torch

from handgrad.run.traced.array import FUNCTIONS, Traced, plain, tensor_of
from handgrad.run.traced.functions import axes_of, numpy_function
from handgrad.run.traced.tensors import alike
from handgrad.run.traced.ufuncs import given_out


def product(name, multiply):
    """Enter a product of two arrays."""

    def function(a, b, out=None):
        a, b = alike(tensor_of(a), tensor_of(b))
        return given_out(multiply(a, b), out, name)

    FUNCTIONS[name] = function


def dot(a, b):
    """Return the sum over the last axis of `a` and the last but one of `b`."""
    if not a.ndim or not b.ndim:
        return a * b
    if max(a.ndim, b.ndim) <= 2 or b.ndim == 1:
        return torch.matmul(a, b)
    return torch.tensordot(a, b, ([a.ndim - 1], [b.ndim - 2]))


def inner(a, b):
    """Return the sum over the last axes."""
    if not a.ndim or not b.ndim:
        return a * b
    return torch.tensordot(a, b, ([a.ndim - 1], [b.ndim - 1]))


product("dot", dot)
product("inner", inner)
product("vdot", lambda a, b: torch.dot(a.reshape(-1), b.reshape(-1)))
product("outer", lambda a, b: a.reshape(-1, 1) * b.reshape(-1))
product("kron", torch.kron)
product("matvec", lambda a, b: (a @ b.unsqueeze(-1)).squeeze(-1))
product("vecdot", lambda a, b: (a * b).sum(-1))


@numpy_function("tensordot")
def tensordot(a, b, axes=2):
    """Return the sum over pairs of axes."""
    a, b = alike(tensor_of(a), tensor_of(b))
    axes = plain(axes)
    if not isinstance(axes, (int, np.integer)):
        axes = [list(np.atleast_1d(side).tolist()) for side in axes]
    elif axes == 0:
        return Traced(a.reshape(a.shape + (1,) * b.ndim) * b)
    return Traced(torch.tensordot(a, b, axes))


@numpy_function("einsum")
def einsum(*inputs, out=None, optimize=False, **_):
    """Return the sum that the subscripts say."""
    if type(inputs[0]) is not str:
        return given_out(torch.einsum(*map(subscript, inputs)), out, "einsum")
    tensors = alike(*map(tensor_of, inputs[1:]))
    return given_out(torch.einsum(inputs[0], *tensors), out, "einsum")


def subscript(value):
    """Return an operand of einsum, or the list of its axes."""
    return value if isinstance(value, list) else tensor_of(value)


@numpy_function("linalg.norm")
def norm(x, ord=None, axis=None, keepdims=False):  # noqa: A002
    """Return a norm: of all entries, of vectors along an axis, or of matrices."""
    x = tensor_of(x)
    axes = axes_of(axis, x.ndim)
    if ord is None or (ord == 2 and len(axes) == 1) or ord == "fro":
        return Traced(torch.linalg.vector_norm(x, 2, axes, keepdims))
    if len(axes) == 1:
        return Traced(torch.linalg.vector_norm(x, ord, axes, keepdims))
    return Traced(torch.linalg.matrix_norm(x, ord, axes, keepdims))


@numpy_function("linalg.multi_dot")
def multi_dot(arrays, *, out=None):
    """Return the product of several arrays."""
    return given_out(torch.linalg.multi_dot(alike(*map(tensor_of, arrays))), out, "multi_dot")


@numpy_function("cross")
def cross(a, b, axis=-1):
    """Return the vector product of vectors of three."""
    a, b = alike(tensor_of(a), tensor_of(b))
    return Traced(torch.linalg.cross(a, b, dim=axis))


@numpy_function("trace")
def trace(a, offset=0, axis1=0, axis2=1):
    """Return the sum along a diagonal."""
    return Traced(torch.diagonal(tensor_of(a), offset, axis1, axis2).sum(-1))


@numpy_function("bincount")
def bincount(x, weights=None, minlength=0):
    """Return how often each whole number is there, or the sum of its weights."""
    if weights is None:
        return Traced(torch.bincount(tensor_of(x), minlength=minlength))
    x, weights = tensor_of(x), tensor_of(weights)
    length = max(minlength, int(x.max()) + 1 if len(x) else 0)
    return Traced(weights.new_zeros(length).index_put((x,), weights, accumulate=True))


@numpy_function("diff")
def diff(a, n=1, axis=-1):
    """Return the differences of neighbours."""
    return Traced(torch.diff(tensor_of(a), n, axis))


@numpy_function("convolve")
def convolve(a, v, mode="full"):
    """Return the discrete convolution of two sequences."""
    a, v = alike(tensor_of(a), tensor_of(v))
    if len(v) > len(a):
        a, v = v, a
    n, k = len(a), len(v)
    padded = torch.nn.functional.pad(a, (k - 1, k - 1))
    full = padded.unfold(0, k, 1) @ v.flip(0)
    start = {"full": 0, "same": (k - 1) // 2, "valid": k - 1}[mode]
    length = {"full": n + k - 1, "same": n, "valid": n - k + 1}[mode]
    return Traced(full[start : start + length])


@numpy_function("correlate")
def correlate(a, v, mode="valid"):
    """Return the cross-correlation of two sequences."""
    if len(v) > len(a):
        return FUNCTIONS["flip"](correlate(v, a, mode))
    return convolve(a, FUNCTIONS["flip"](v), mode)
