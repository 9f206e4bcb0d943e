"""NumPy's ufuncs: calls with `out=` and `where=`, operators, `np.add.at` and the other methods."""

import operator
from typing import Any

import numpy as np
import torch

from handgrad.run.traced import choices, sigmoid
from handgrad.run.traced.array import FUNCTIONS, Traced, tensor_like, tensor_of
from handgrad.run.traced.index import key_at, parsed, positions_of
from handgrad.run.traced.refusal import Untraceable
from handgrad.run.traced.tensors import NUMBERS, alike, torch_dtype

# Arguments of a ufunc that say nothing of its numbers.
INDIFFERENT = frozenset(["casting", "order", "subok"])
# What an operand is where `where=` leaves it out: all functions have a slope there.
HARMLESS = 0.5

ENTRYWISE = {
    **{name: getattr(torch, name) for name in (
        *("exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "square"),
        *("sin", "cos", "tan", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan", "arcsinh"),
        *("arccosh", "arctanh", "floor", "ceil", "trunc", "isnan", "isinf", "isfinite", "deg2rad"),
        *("rad2deg", "negative", "signbit", "logical_not"),
    )},
    "exp": sigmoid.exp,
    "reciprocal": sigmoid.reciprocal,
    "rint": torch.round,
    "absolute": choices.absolute,
    "fabs": choices.absolute,
    "sign": choices.sign,
    "cbrt": lambda x: x.sign() * x.abs() ** (1 / 3),
    "positive": torch.clone,
    "conjugate": torch.clone,
    "degrees": torch.rad2deg,
    "radians": torch.deg2rad,
}  # fmt: skip
# Those that PyTorch takes Python's numbers for, and those that take tensors alone.
WITH_NUMBERS = {
    "add": sigmoid.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": sigmoid.divide,
    "power": sigmoid.power,
    "greater": choices.comparison(operator.gt),
    "greater_equal": choices.comparison(operator.ge),
    "less": choices.comparison(operator.lt),
    "less_equal": choices.comparison(operator.le),
    "equal": choices.comparison(operator.eq),
    "not_equal": choices.comparison(operator.ne),
}
OF_TENSORS = {
    "maximum": choices.maximum,
    "minimum": choices.minimum,
    "fmax": torch.fmax,
    "fmin": torch.fmin,
    "floor_divide": lambda a, b: torch.div(a, b, rounding_mode="floor"),
    "remainder": torch.remainder,
    "fmod": torch.fmod,
    "float_power": torch.pow,
    "arctan2": torch.arctan2,
    "hypot": torch.hypot,
    "logaddexp": torch.logaddexp,
    "logaddexp2": torch.logaddexp2,
    "copysign": torch.copysign,
    "heaviside": choices.heaviside,
    "logical_and": torch.logical_and,
    "logical_or": torch.logical_or,
    "logical_xor": torch.logical_xor,
    "matmul": torch.matmul,
}


def operands(a, b):
    """Return two operands of NumPy's, tensors of one dtype or one of them a Python number."""
    if type(a) is Traced:
        a = a.tensor
        if type(b) is Traced:
            b = b.tensor
            return (a, b) if a.dtype is b.dtype else alike(a, b)
        if type(b) in NUMBERS:
            return a, b
        return alike(a, tensor_of(b))
    if type(a) in NUMBERS and type(b) is Traced:
        return a, b.tensor
    if type(b) in NUMBERS:
        return tensor_of(a), b
    return alike(tensor_of(a), tensor_of(b))


def two_tensors(a, b):
    """Return two operands as tensors of one dtype."""
    a, b = operands(a, b)
    if type(a) in NUMBERS:
        a = number_like(a, b)
    elif type(b) in NUMBERS:
        b = number_like(b, a)
    return alike(a, b)


def number_like(number, tensor):
    """Return a Python number as a tensor of the dtype that NumPy gives it beside another."""
    if tensor.dtype.is_floating_point or type(number) is not float:
        return torch.tensor(number, dtype=tensor.dtype)
    return torch.tensor(number, dtype=torch.float64)


def is_real(operand):
    """Say whether an operand is of floating point: whole numbers are left to NumPy."""
    if isinstance(operand, torch.Tensor):  # a parameter's type is another one
        return operand.dtype.is_floating_point
    return type(operand) is float


def of_one(ufunc, function):
    """Return a function of an array, as a tensor, by PyTorch's function."""

    def compute(a):
        a = tensor_of(a)
        return function(a) if is_real(a) else through_numpy(ufunc, a)

    return compute


def of_two(ufunc, function, prepared):
    """Return a function of two arrays, as a tensor, by PyTorch's function."""

    def compute(a, b):
        a, b = prepared(a, b)
        return function(a, b) if is_real(a) or is_real(b) else through_numpy(ufunc, a, b)

    return compute


def through_numpy(ufunc, *operands):
    """Return what NumPy's own ufunc makes of whole numbers and truth values."""
    arrays = [x.numpy() if isinstance(x, torch.Tensor) else x for x in operands]
    return tensor_of(np.asarray(ufunc(*arrays)))


class Ufunc:
    """A ufunc of NumPy's that takes traced arrays; `compute` gives its result as a tensor."""

    def __init__(self, name, compute):
        self.name, self.compute = name, compute
        self.__name__ = name

    def __repr__(self):
        return f"<ufunc {self.name!r}>"

    def __getattr__(self, name):
        return getattr(getattr(np, self.name), name)

    def __call__(self, *inputs: Any, out=None, where=True, dtype=None, **others):
        """Return the function of arrays, written into `out` if that is given."""
        if others and not INDIFFERENT.issuperset(others):
            raise Untraceable(f"Handgrad cannot follow {', '.join(others)}= of np.{self.name}.")
        if len(choices.deciding) == 1 and not any(type(x) is Traced for x in (*inputs, out)):
            # an object that was made in a traced run has kept it
            return getattr(np, self.name)(*inputs, out=out, where=where)
        if len(inputs) > getattr(np, self.name).nin:
            inputs, out = inputs[:-1], inputs[-1]
        if out is None and where is True and dtype is None:
            return Traced(self.compute(*inputs))
        out = out[0] if type(out) is tuple else out
        if dtype is not None:
            inputs = tuple(Traced(tensor_of(x).to(torch_dtype(dtype))) for x in inputs)
        if where is True:
            return given_out(self.compute(*inputs), out, self.name)
        where = tensor_of(where)
        inputs = tuple(Traced(torch.where(where, tensor_of(x), HARMLESS)) for x in inputs)
        result = self.compute(*inputs)
        kept = torch.zeros_like(result) if out is None else tensor_of(out).to(result.dtype)
        return given_out(torch.where(where, result, kept), out, self.name)

    def outer(self, a, b, **keywords):
        """Return the function of each entry of `a` with each of `b`."""
        a, b = Traced(tensor_of(a)), Traced(tensor_of(b))
        return self(a.reshape(a.shape + (1,) * b.ndim), b, **keywords)

    def reduce(self, a, axis=0, dtype=None, out=None, keepdims=False, **keywords):
        """Return the function of all entries along an axis."""
        function = self._method("reduce", REDUCE)
        keywords |= {} if dtype is None else {"dtype": dtype}
        keywords |= {} if out is None else {"out": out}
        return function(a, axis=axis, keepdims=keepdims, **keywords)

    def accumulate(self, a, axis=0, **keywords):
        """Return the function of the entries up to each one along an axis."""
        return self._method("accumulate", ACCUMULATE)(a, axis=axis, **keywords)

    def reduceat(self, *inputs, **keywords):
        """Return the function of the entries between indices, of what autograd does not follow."""
        return self._method("reduceat", {})(*inputs, **keywords)

    def at(self, a, indices, b=None):
        """Change entries of `a` in place, one that is named twice as often as it is named."""
        if self.name not in ("add", "subtract") or type(a) is not Traced:
            raise Untraceable(f"Handgrad cannot follow np.{self.name}.at: write it as a loop.")
        places = positions_of(a.shape)[parsed(indices)]
        b = tensor_like(b, a.tensor)
        b = torch.as_tensor(b, dtype=a.tensor.dtype).broadcast_to(places.shape)
        amount = -b if self.name == "subtract" else b
        a._assign(a.tensor.index_put(key_at(places, a.shape), amount, accumulate=True))

    def _method(self, method, table):
        """Return the function that a method of the ufunc is, NumPy's own if there is none."""
        if self.name in table:
            return FUNCTIONS[table[self.name]]
        own = getattr(getattr(np, self.name), method)
        return FUNCTIONS["_unknown"](own, name=f"{self.name}.{method}")


REDUCE = {
    **{"add": "sum", "multiply": "prod", "maximum": "max", "minimum": "min"},
    **{"logical_and": "all", "logical_or": "any", "logaddexp": "_logsumexp"},
}
ACCUMULATE = {"add": "cumsum", "multiply": "cumprod", "maximum": "_cummax", "minimum": "_cummin"}


def given_out(result, out, name):
    """Return a result, or `out` with the result written into it."""
    if out is None:
        return Traced(result)
    if type(out) is Traced:
        out._assign(result)
    elif result.requires_grad:
        raise Untraceable(
            f"np.{name} writes a traced value into a plain NumPy array, which would lose its "
            "gradient: make the array by np.zeros or the like within the pass."
        )
    else:
        out[...] = result.numpy()
    return out


UFUNCS = {
    **{
        name: Ufunc(name, of_one(getattr(np, name), function))
        for name, function in ENTRYWISE.items()
    },
    **{
        name: Ufunc(name, of_two(getattr(np, name), function, operands))
        for name, function in WITH_NUMBERS.items()
    },
    **{
        name: Ufunc(name, of_two(getattr(np, name), function, two_tensors))
        for name, function in OF_TENSORS.items()
    },
    **{
        name: Ufunc(name, of_two(getattr(np, name), None, two_tensors))
        for name in ("bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "right_shift")
    },
}
UFUNCS["invert"] = Ufunc("invert", of_one(np.invert, None))
UFUNCS["conj"] = UFUNCS["conjugate"]
FUNCTIONS.update(UFUNCS)
