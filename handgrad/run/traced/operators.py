"""The operators of traced arrays: `+`, `@`, `>`, `+=` and the rest."""

import numpy as np

from handgrad.run.traced.array import Traced
from handgrad.run.traced.tensors import NUMBERS
from handgrad.run.traced.ufuncs import UFUNCS

OPERATORS = {
    **{"add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "pow": "power"},
    **{"floordiv": "floor_divide", "mod": "remainder", "matmul": "matmul", "and": "bitwise_and"},
    **{"or": "bitwise_or", "xor": "bitwise_xor", "lshift": "left_shift", "rshift": "right_shift"},
}
COMPARISONS = {
    **{"lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal"},
    **{"eq": "equal", "ne": "not_equal"},
}


def is_operand(value):
    """Say whether NumPy's operators take a value: not a class of the user's own."""
    return (
        type(value) is Traced
        or type(value) in NUMBERS
        or isinstance(value, (np.ndarray, np.generic, list, tuple))
    )


def is_repeated(sequence, count):
    """Say whether `[0] * n` repeats a list, as it does with NumPy's whole scalars."""
    if not isinstance(sequence, (list, tuple)) or count._known.ndim:
        return False
    return not count._known.dtype.is_floating_point


def binary(compute, is_reflected=False):
    """Return an operator's method."""

    def method(self, other):
        if not is_operand(other) or (is_reflected and is_repeated(other, self)):
            return NotImplemented
        return Traced(compute(other, self) if is_reflected else compute(self, other))

    return method


def in_place(compute):
    """Return the method of `+=` and its like; what has no axes is a scalar, made anew."""

    def method(self, other):
        if not is_operand(other):
            return NotImplemented
        result = compute(self, other)
        if not self._known.ndim:
            return Traced(result)
        self._assign(result)
        return self

    return method


def unary(compute):
    """Return the method of an operator of one operand."""
    return lambda self: Traced(compute(self))


for _sign, _name in OPERATORS.items():
    setattr(Traced, f"__{_sign}__", binary(UFUNCS[_name].compute))
    setattr(Traced, f"__r{_sign}__", binary(UFUNCS[_name].compute, is_reflected=True))
    setattr(Traced, f"__i{_sign}__", in_place(UFUNCS[_name].compute))
for _sign, _name in COMPARISONS.items():
    setattr(Traced, f"__{_sign}__", binary(UFUNCS[_name].compute))
for _sign, _name in {
    "neg": "negative",
    "pos": "positive",
    "abs": "absolute",
    "invert": "invert",
}.items():
    setattr(Traced, f"__{_sign}__", unary(UFUNCS[_name].compute))
