"""Which function of ours stands for which of NumPy's."""

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from handgrad.run.traced import moves, operators, products, shapes, torch_numpy  # noqa: F401
from handgrad.run.traced.array import FUNCTIONS
from handgrad.run.traced.making import all_plain, has_gradient, wrapped
from handgrad.run.traced.refusal import Untraceable
from handgrad.run.traced.ufuncs import Ufunc

# Functions that look at numbers, and through which no gradient goes.
# fmt: off
LOOKS = frozenset([
    "allclose", "argmax", "argmin", "argsort", "argwhere", "array2string", "array_equal",
    "array_equiv", "array_repr", "array_str", "count_nonzero", "digitize", "flatnonzero",
    "isclose", "iscomplexobj", "isin", "isneginf", "isposinf", "isrealobj", "isscalar", "iterable",
    "lexsort", "may_share_memory", "ndim", "nonzero", "ones_like",
    "result_type", "save", "savetxt", "savez", "searchsorted",
    "shape", "shares_memory", "size", "zeros_like", "finfo", "can_cast", "min_scalar_type",
    "diag_indices_from", "tril_indices_from", "triu_indices_from",
])
# fmt: on
# What PyTorch or Python raise where a function of ours is not asked as it can be.
REFUSALS = (TypeError, RuntimeError, KeyError, AttributeError, NotImplementedError)
# What changes its argument in place, where NumPy's own would change a copy.
IN_PLACE = frozenset(["place", "partition"])


def through_numpy(function, *arguments, **keywords):
    """Return what NumPy's own function makes of plain arrays, as traced ones."""
    return wrapped(function(*all_plain(arguments), **all_plain(keywords)))


FUNCTIONS["_through_numpy"] = through_numpy


def name_of(function):
    """Return NumPy's name for a function: `exp`, `linalg.norm`."""
    name = getattr(function, "__name__", type(function).__name__)
    module = (getattr(function, "__module__", None) or "").removeprefix("numpy").lstrip(".")
    return f"{module}.{name}" if module and not module.startswith("_") else name


def unknown(function, traceable=None, name=None):
    """Return a function of NumPy's that is used as it is, unless autograd follows an argument.

    Then it is refused by its name, or `traceable` is used.
    """
    name = name or name_of(function)
    looks = name.rpartition(".")[2] in LOOKS or name.startswith("testing.")

    @functools.wraps(function)
    def call(*arguments, **keywords):
        out = keywords.get("out")
        if not looks and has_gradient((arguments, keywords)):
            if traceable:
                return traceable(*arguments, **keywords)
            raise Untraceable(
                f"Handgrad cannot follow np.{name}, through which the gradient would have to go: "
                "write it with functions that it knows, or give a PyTorch module as reference."
            )
        if out is not None or name in IN_PLACE:
            raise Untraceable(f"Handgrad cannot follow np.{name} writing into an array.")
        return through_numpy(function, *arguments, **keywords)

    return call


def implementations() -> dict[Any, Callable[..., Any]]:
    """Return our function for each of NumPy's, under whatever name it goes there."""
    found = {}
    for name, function in FUNCTIONS.items():
        place, _, last = name.rpartition(".")
        module = functools.reduce(getattr, place.split("."), np) if place else np
        if hasattr(module, last):
            found[getattr(module, last)] = function
    return found


IMPLEMENTED = implementations()


@functools.cache
def standing_for(function):
    """Return what stands for a function of NumPy's."""
    ours = IMPLEMENTED.get(function)
    if ours is None or name_of(function) in torch_numpy.BORROWED:
        return unknown(function, ours)
    return ours if isinstance(ours, Ufunc) else in_a_sentence(function, ours)


def in_a_sentence(function, ours):
    """Return our function, which says that it cannot where PyTorch refuses the arguments."""

    @functools.wraps(function)
    def call(*arguments, **keywords):
        try:
            return ours(*arguments, **keywords)
        except REFUSALS as error:
            reason = str(error).partition("\n")[0]
            raise Untraceable(
                f"Handgrad cannot follow np.{name_of(function)} with these arguments ({reason})."
            ) from error

    return call


FUNCTIONS["__call__"], FUNCTIONS["_unknown"] = standing_for, unknown
for _name in LOOKS:
    FUNCTIONS[_name] = standing_for(getattr(np, _name))


@functools.cache
def standing_for_math(function):
    """Return what stands for a function of the module math: a number's, or a traced value's."""
    name = MATH.get(function.__name__, function.__name__)

    @functools.wraps(function)
    def call(*arguments):
        if not has_gradient(arguments) or name in ("floor", "ceil", "trunc", "isclose"):
            return function(*all_plain(arguments))
        if name not in FUNCTIONS:
            raise Untraceable(f"Handgrad cannot follow math.{function.__name__}.")
        return FUNCTIONS[name](*arguments)

    return call


# What NumPy calls otherwise.
MATH = {
    **{"pow": "power", "fabs": "absolute", "asin": "arcsin", "acos": "arccos", "atan": "arctan"},
    **{"atan2": "arctan2", "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh"},
    **{"fsum": "_sum_of_list", "log": "_math_log", "isnan": "isnan", "isfinite": "isfinite"},
}


def sum_of_list(values):
    """Return the sum of traced values and numbers."""
    return functools.reduce(lambda a, b: a + b, values, 0.0)


def math_log(x, base=None):
    """Return the logarithm."""
    log = FUNCTIONS["log"](x)
    return log if base is None else log / math.log(base)


FUNCTIONS["_sum_of_list"], FUNCTIONS["_math_log"] = sum_of_list, math_log
