"""What an operation did to the numbers: in words, with the numbers and their place."""

import ast
from typing import Any, NamedTuple

import numpy as np

from handgrad.explain.origin.value import UNKNOWN
from handgrad.explain.wording import entry, place

SYMBOLS: dict[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
}
BINARY = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "power": "**"}
SUMS = "sum", "mean", "dot", "matmul", "einsum", "tensordot", "prod", "cumsum", "var", "std", "norm"
NEAR = 10  # of a larger number, how near it is to a whole one tells nothing
LONGEST = 60  # characters of a part of a line


class Operation(NamedTuple):
    """What an operation did.

    Attributes:
        code: the part of the line.
        result: what came out: nan, inf or -inf.
        how: in words, with the numbers and their place.
        names_it: whether the words say which part of the line it is.
    """

    code: str
    result: str
    how: str
    names_it: bool


def level(value: Any) -> int:
    """Return how bad a value is: 2 where there is a nan in it, 1 where there is an inf, else 0."""
    if isinstance(value, list | tuple):
        return max(map(level, value), default=0)
    if isinstance(value, dict):
        return max(map(level, value.values()), default=0)
    if not isinstance(value, np.ndarray | np.floating | float) or not is_real(value):
        return 0
    if np.isfinite(value).all():
        return 0
    return 2 if np.isnan(value).any() else 1


def is_real(value):
    """Say whether a value is of floating point."""
    return np.asarray(value).dtype.kind == "f"


def operation(node, parts, values):
    """Return an Operation, as a list, of a part of a line that is worse than its own parts.

    The list is empty where it is no operation on numbers, but `np.inf` itself, say.
    """
    result = values.of(node)
    numbers = [(p, values.of(p)) for p in parts if is_number(values.of(p))]
    if result is UNKNOWN or not is_number(result) or not numbers:
        return []
    result = np.asarray(result)
    worst = "nan" if level(result) == 2 else "inf"
    bad = np.isnan(result) if worst == "nan" else np.isinf(result)
    same = [np.asarray(value) for _, value in numbers]
    if is_elementwise(node, values) and fit(same, result.shape):
        same = [np.broadcast_to(one, result.shape) for one in same]
        bad = newly(bad, same, worst)
        at = tuple(int(i) for i in np.argwhere(bad)[0])
        how, names_it = entry_by_entry(node, numbers, [one[at] for one in same], result[at])
        how += where(bad, numbers, same)
        return [Operation(text(node), str(result[at]), how, names_it)]
    said = f"`{text(node)}` is {result[bad].flat[0]}"
    if worst == "inf" and name_of(node) in ("", *SUMS):
        said += f": it overflows{in_dtype(result)}"
    return [Operation(text(node), str(result[bad].flat[0]), said + where(bad, [], []), True)]


def is_number(value):
    """Say whether a value is an array of numbers, or a number."""
    is_kind = isinstance(value, np.ndarray | np.generic | float | int)
    return is_kind and np.asarray(value).dtype.kind in "fiub"


def is_elementwise(node, values):
    """Say whether a part goes entry by entry: an operator, `np.exp` and the like, or a cast."""
    if isinstance(node, ast.BinOp):
        return type(node.op) in SYMBOLS
    if not isinstance(node, ast.Call) or node.keywords:
        return False
    function = values.of(node.func)
    return isinstance(function, np.ufunc | type) or name_of(node) == "astype"


def name_of(node):
    """Return the name of the function that a part calls, "" of an operator."""
    function = getattr(node, "func", None)
    return getattr(function, "attr", getattr(function, "id", ""))


def fit(arrays, shape):
    """Say whether arrays broadcast to this shape, and one of them has its size."""
    try:
        return np.broadcast_shapes(*(one.shape for one in arrays)) == shape
    except ValueError:
        return False


def newly(bad, same, worst):
    """Return where a result is bad and what went in is not, if there is such a place."""
    fine = [~np.isnan(one) if worst == "nan" else np.isfinite(one) for one in same]
    new = np.logical_and.reduce([bad, *fine])
    return new if new.any() else bad


def entry_by_entry(node, numbers, given, result):
    """Say in words what an operation made of the numbers of one entry; and see `names_it`."""
    symbol = SYMBOLS.get(type(getattr(node, "op", node)))
    if symbol is None and len(given) == 2:
        symbol = BINARY.get(name_of(node))
    is_overflow = np.isinf(result) and all(map(np.isfinite, given)) and not is_pole(symbol, given)
    if np.isnan(result):  # it is nan of 0 and of -0 alike
        given = [number + 0.0 for number in given]
    if symbol is not None:
        shown = f" {symbol} ".join(bracketed(number, symbol) for number in given)
        end = f" overflows{in_dtype(result)}" if is_overflow else f" is {result}"
        return f"{shown}{end}", False
    name = name_of(node)
    is_overflow = is_overflow and ("exp" in name or name in ("sinh", "cosh", "square"))
    end = f"overflows{in_dtype(result)}" if is_overflow else f"is {result}"
    of = " and ".join(
        f"`{text(part)}` is {short(number)}"
        for (part, _), number in zip(numbers, given, strict=True)
        if not isinstance(part, ast.Constant)
    )
    return f"`{text(node)}` {end}" + (f" where {of}" if of else ""), True


def is_pole(symbol, given):
    """Say whether an operation is a division by 0: 1 / 0, or 0 to a negative power."""
    return (symbol in ("/", "//") and given[1] == 0) or (symbol == "**" and given[0] == 0)


def bracketed(number, symbol):
    """Write a number as it stands before or behind an operator."""
    said = short(number)
    return f"({said})" if said.startswith("-") and symbol == "**" and said != "-inf" else said


def short(number):
    """Write a number with few digits, but for those that tell it from a whole one."""
    number = float(number)
    said = f"{number:.4g}"
    is_near_whole = said.lstrip("-").isdigit() and number != float(said)
    return f"{number:.17g}" if is_near_whole and abs(number) < NEAR else said


def in_dtype(result):
    """Name a dtype that is narrower than float64."""
    dtype = np.asarray(result).dtype
    return "" if dtype.itemsize >= 8 else f" {dtype}"


def where(bad, numbers, same):
    """Say where it is so, and what fills the whole of such a row."""
    if bad.size == 1:
        return ""
    filled = [array[bad] for array in same]
    said = f", {place(bad)}"
    if not all(map(is_one, filled)):  # the numbers that were said are those of the first
        said += f", first at {entry(np.argwhere(bad)[0])}"
    if bad.ndim != 2 or bad.all() or not (bad == bad.all(axis=1, keepdims=True)).all():
        return said
    for (part, value), array in zip(numbers, filled, strict=True):
        if np.shape(value) == bad.shape and is_one(array):
            return f"{said}, where all of `{text(part)}` is {short(array[0])}"
    return said


def is_one(array):
    """Say whether an array holds the same number throughout."""
    return bool((array == array[0]).all())


def text(node):
    """Write a part of a line, as Python would."""
    code = ast.unparse(node)
    return code if len(code) <= LONGEST else f"{code[: LONGEST - 1]}…"
