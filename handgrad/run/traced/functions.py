"""Functions of NumPy's that compute: reductions, products, choices."""

import operator

import numpy as np
import torch

from handgrad.run.traced import choices
from handgrad.run.traced.array import FUNCTIONS, Traced, plain, tensor_like, tensor_of
from handgrad.run.traced.refusal import Untraceable
from handgrad.run.traced.tensors import NUMBERS, alike, from_numpy, torch_dtype
from handgrad.run.traced.ufuncs import given_out, number_like, through_numpy


def numpy_function(*names):
    """Return a decorator that enters a function under NumPy's names for it."""

    def enter(function):
        for name in names:
            FUNCTIONS[name] = function
        return function

    return enter


def axes_of(axis, ndim):
    """Return the axes that `axis=` names, as a tuple."""
    if axis is None:
        return tuple(range(ndim))
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    return tuple(sorted(operator.index(one) % ndim if ndim else 0 for one in axes))


def reduction(name, reduce, left_out=None):
    """Enter a reduction; `left_out` is what an entry counts as that `where=` leaves out."""

    def function(
        a, axis=None, *unnamed, dtype=None, out=None, keepdims=False, where=True, **keywords
    ):
        if unnamed:
            raise Untraceable(f"Handgrad asks for the arguments of np.{name} by name after axis.")
        a = tensor_of(a)
        if dtype is not None:
            a = a.to(torch_dtype(dtype))
        initial = keywords.pop("initial", None)
        if not a.dtype.is_floating_point:
            if initial is not None:
                keywords["initial"] = plain(initial)
            numbers = getattr(np, name)(
                a.numpy(), axis=axis, keepdims=keepdims, where=plain(where), **keywords
            )
            return given_out(from_numpy(np.asarray(numbers)), out, name)
        if where is not True:
            if left_out is None:
                raise Untraceable(f"Handgrad cannot follow where= of np.{name}: choose first.")
            a = torch.where(tensor_of(where), a, left_out)
        result = reduce(a, axes_of(axis, a.ndim), bool(keepdims), **keywords)
        if initial is not None:
            result = JOINED[name](result, torch.as_tensor(tensor_like(initial, result)))
        return given_out(result, out, name)

    FUNCTIONS[name] = function


JOINED = {
    "sum": torch.add,
    "prod": torch.mul,
    "max": choices.maximum,
    "min": choices.minimum,
}


def summed(a, axes, keepdims):
    """Return the sum; over no axes the tensor, which PyTorch takes for all."""
    return a.sum(axes, keepdims) if axes else a.clone()


def multiplied(a, axes, keepdims):
    """Return the product over axes, the last first."""
    for axis in reversed(axes):
        a = a.prod(axis, keepdims)
    return a


def variance(a, axes, keepdims, ddof=0, mean=None, correction=None):
    """Return the variance."""
    return a.var(axes, correction=correction or ddof, keepdim=keepdims)


def deviation(a, axes, keepdims, ddof=0, mean=None, correction=None):
    """Return the standard deviation."""
    return a.std(axes, correction=correction or ddof, keepdim=keepdims)


reduction("sum", summed, 0.0)
reduction("prod", multiplied, 1.0)
reduction("mean", lambda a, axes, keepdims: a.mean(axes, keepdims) if axes else a.clone())
reduction("var", variance)
reduction("std", deviation)
reduction("max", lambda a, axes, keepdims: a.amax(axes, keepdims), -np.inf)
reduction("min", lambda a, axes, keepdims: a.amin(axes, keepdims), np.inf)
reduction("ptp", lambda a, axes, keepdims: a.amax(axes, keepdims) - a.amin(axes, keepdims))
reduction("all", lambda a, axes, keepdims: (a == 0).sum(axes, keepdims) == 0)
reduction("any", lambda a, axes, keepdims: (a != 0).sum(axes, keepdims) > 0)
reduction("nansum", lambda a, axes, keepdims: summed(a.nan_to_num(0.0), axes, keepdims))
reduction("nanmean", lambda a, axes, keepdims: a.nanmean(axes, keepdims))
reduction("_logsumexp", lambda a, axes, keepdims: a.logsumexp(axes, keepdims), -np.inf)

FUNCTIONS["amax"], FUNCTIONS["amin"] = FUNCTIONS["max"], FUNCTIONS["min"]


@numpy_function("average")
def average(a, axis=None, weights=None, returned=False, *, keepdims=False):
    """Return the mean, weighted."""
    if weights is None:
        return FUNCTIONS["mean"](a, axis, keepdims=keepdims)
    a, weights = alike(tensor_of(a), tensor_of(weights))
    if axis is not None and weights.ndim == 1 != a.ndim:
        weights = weights.reshape([-1 if i == axis % a.ndim else 1 for i in range(a.ndim)])
    axes = axes_of(axis, a.ndim)
    whole = summed(weights.broadcast_to(a.shape), axes, keepdims)
    mean = Traced(summed(a * weights, axes, keepdims) / whole)
    return (mean, Traced(whole)) if returned else mean


def along(name, function):
    """Enter a function along one axis, or of the flattened array, whose result is as long."""

    def call(a, axis=None, dtype=None, out=None):
        a = tensor_of(a)
        a = a.reshape(-1) if axis is None else a
        if dtype is not None:
            a = a.to(torch_dtype(dtype))
        if a.dtype.is_floating_point:
            return given_out(function(a, 0 if axis is None else axis), out, name)
        numbers = through_numpy(getattr(np, name), a) if a.ndim == 1 else None
        if numbers is None:
            numbers = from_numpy(getattr(np, name)(a.numpy(), axis=axis))
        return given_out(numbers, out, name)

    FUNCTIONS[name] = call


along("cumsum", torch.cumsum)
along("cumprod", torch.cumprod)
along("_cummax", lambda a, axis: torch.cummax(a, axis)[0])
along("_cummin", lambda a, axis: torch.cummin(a, axis)[0])


@numpy_function("clip")
def clip(a, a_min=None, a_max=None, out=None, *, min=None, max=None):  # noqa: A002
    """Return x within bounds."""
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    a = tensor_of(a)
    bounds = [
        None if x is None else number_like(x, a) if type(x) in NUMBERS else tensor_of(x)
        for x in (low, high)
    ]
    if not any(x.dtype.is_floating_point for x in (a, *bounds) if x is not None):
        return given_out(from_numpy(np.clip(a.numpy(), plain(low), plain(high))), out, "clip")
    a, *present = alike(a, *(bound for bound in bounds if bound is not None))
    low, high = (None if bound is None else present.pop(0) for bound in bounds)
    return given_out(choices.clip(a, low, high), out, "clip")


@numpy_function("where")
def where(condition, *choice):
    """Return entries of one array or of the other; with no arrays, where the condition is true."""
    if not choice:
        return FUNCTIONS["nonzero"](condition)
    condition, (a, b) = tensor_of(condition), choice
    condition = condition if condition.dtype is torch.bool else condition != 0
    tensors = [x if type(x) in NUMBERS else tensor_of(x) for x in (a, b)]
    if type(tensors[0]) not in NUMBERS or type(tensors[1]) not in NUMBERS:
        for i in (0, 1):
            if type(tensors[i]) in NUMBERS:
                tensors[i] = number_like(tensors[i], tensors[1 - i])
    return Traced(torch.where(condition, *alike(*map(torch.as_tensor, tensors))))


@numpy_function("sort")
def sort(a, axis=-1, **_):
    """Return the entries in order."""
    a = tensor_of(a)
    return Traced(torch.sort(a.reshape(-1) if axis is None else a, -1 if axis is None else axis)[0])


@numpy_function("quantile")
def quantile(a, q, axis=None, *, method="linear", keepdims=False):
    """Return the number below which a part `q` of the entries is."""
    a = tensor_of(a)
    if type(q) is Traced and q.tensor.requires_grad:
        raise Untraceable("Handgrad cannot follow np.quantile by how much is below it.")
    q = torch.as_tensor(plain(q), dtype=a.dtype)
    return Traced(torch.quantile(a, q, axis, keepdims, interpolation=method))


@numpy_function("percentile")
def percentile(a, q, axis=None, **keywords):
    """Return the number below which `q` of a hundred entries are."""
    return quantile(a, FUNCTIONS["divide"](q, 100), axis, **keywords)


@numpy_function("median")
def median(a, axis=None, *, keepdims=False):
    """Return the number in the middle, or the mean of the two there."""
    a = tensor_of(a)
    ordered = torch.sort(a.reshape(-1) if axis is None else a, -1 if axis is None else axis)[0]
    axis = -1 if axis is None else axis
    length = ordered.shape[axis]
    middle = ordered.narrow(axis, (length - 1) // 2, 2 - length % 2).mean(axis, keepdims)
    shape = (1,) * a.ndim if keepdims and ordered.ndim != a.ndim else middle.shape
    return Traced(middle.reshape(shape))


@numpy_function("nan_to_num")
def nan_to_num(x, copy=True, nan=0.0, posinf=None, neginf=None):
    """Return the array with other numbers for those that are not finite."""
    return given_out(
        tensor_of(x).nan_to_num(nan, posinf, neginf), None if copy else x, "nan_to_num"
    )


@numpy_function("sinc")
def sinc(x):
    """Return sin(pi x) / (pi x)."""
    return Traced(torch.sinc(tensor_of(x)))


@numpy_function("divmod")
def quotient_and_remainder(a, b):
    """Return the whole quotient and the remainder."""
    return FUNCTIONS["floor_divide"](a, b), FUNCTIONS["remainder"](a, b)


@numpy_function("round", "around")
def rounded(a, decimals=0, out=None):
    """Return the array rounded, a step function."""
    return given_out(torch.round(tensor_of(a), decimals=decimals), out, "round")
