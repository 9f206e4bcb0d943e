"""A user's functions `forward` and `backward`, in whatever way they take what they need."""

import copy
import random
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from handgrad.errors import InputError
from handgrad.load.defined import arguments_of
from handgrad.load.nested import flat, rebuilt
from handgrad.run.own_forward import Programme

# What people call the three things that a pass takes.
PARAMS = ("params", "parameters", "param", "p", "weights", "theta", "model", "net", "ws")
X = ("x", "X", "inputs", "input", "data", "batch", "images", "xs", "features")
Y = ("y", "Y", "targets", "target", "labels", "label", "t", "y_true", "ys", "Y_true")


def of_functions(found, params, x, y, is_theirs, namespaces, where):
    """Return the Programme of `forward` and `backward` in a namespace, and the flat parameters.

    `params`, `x` and `y` are as the user has them; `backward` may be missing where `forward` does
    both.
    """
    arrays = {name: w for name, w in flat(params).items() if np.asarray(w).dtype.kind == "f"}
    state = State(namespaces)

    def given(flat_params, x_now, y_now):
        state.put_back()
        kept = {} if y is None else {"y": y_now}
        return {"params": rebuilt(params, flat_params), "x": x_now, "y": None, **kept}

    def forward(flat_params, x_now, y_now):
        return called(found["forward"], given(flat_params, x_now, y_now), [])

    def backward(flat_params, x_now, y_now, result):
        return called(found["backward"], given(flat_params, x_now, y_now), [result])

    has_both = callable(found.get("backward"))
    programme = Programme(forward, backward if has_both else None, is_theirs, namespaces, where)
    return programme, {name: np.asarray(array) for name, array in arrays.items()}


class State:
    """The random numbers that the passes draw: each call starts from the same."""

    def __init__(self, namespaces):
        self.numpy, self.python = np.random.get_state(), random.getstate()  # noqa: NPY002 (theirs)
        kinds = np.random.Generator, np.random.RandomState
        found = {id(v): v for names in namespaces for v in names.values() if isinstance(v, kinds)}
        self.generators = [(one, copy.deepcopy(bits_of(one).state)) for one in found.values()]

    def put_back(self):
        """Put all random number generators back to where they were."""
        np.random.set_state(self.numpy)  # noqa: NPY002 (theirs)
        random.setstate(self.python)
        for generator, state in self.generators:
            bits_of(generator).state = state


def bits_of(generator):
    """Return what draws the bits of a generator, old or new."""
    return getattr(generator, "bit_generator", None) or generator._bit_generator


def called(function: Callable[..., Any], given: dict[str, Any], more: list[Any]):
    """Call a function of the user's with what its arguments' names ask for, else in order.

    `given` has `params`, `x` and `y`, `more` is what the forward pass returned, for the other: as a
    whole, or without the loss; where one way fails, the next is tried.
    """
    ways = ways_to_call(function, given, more)
    for number, arguments in enumerate(ways, 1):
        try:
            return function(*arguments)
        except Exception:
            if number == len(ways):
                raise
    return None


def ways_to_call(function, given, more):
    """Return the lists of arguments that a function may be meant to be called with, best first."""
    needed = needed_by(function)
    found = {name: value for name in needed for value in by_name(name, given)}
    left = [name for name in needed if name not in found]
    if not left:
        return [[found[name] for name in needed]]
    rests = [rest_of(result) for result in more]
    fills = [rest for rest in [*rests, more] if len(rest) == len(left)]
    if not fills:
        left, found = with_data(needed, found, given, bool(more))
        fills = [rest for rest in [*rests, more] if len(rest) == len(left)]
    if fills:
        return [[(found | dict(zip(left, fill, strict=True)))[n] for n in needed] for fill in fills]
    order = [given["params"], given["x"], given["y"], *more]
    if len(needed) < len(order):
        order = [value for value in order if value is not None]
    if len(needed) <= len(order):
        return [order[: len(needed)]]
    raise InputError(
        f"{function.__name__} takes {', '.join(left)}: it is not known what is meant; it may take "
        "params, x, y and, in backward, what forward returns."
    )


def with_data(needed, found, given, has_more):
    """Return the arguments that are left, and those found with the data by their places.

    `backward(params, inp, _, cache)` takes x and y after params, whatever it calls them; what a
    forward pass returned comes after them.
    """
    roles = ("params", "x", "y") if given["y"] is not None else ("params", "x")
    is_in_order = all(
        n not in found or found[n] is given[r] for n, r in zip(needed, roles, strict=False)
    )
    if is_in_order and len(needed) >= len(roles) + has_more and needed[0] in found:
        found = found | {name: given[role] for name, role in zip(needed, roles, strict=False)}
    return [name for name in needed if name not in found], found


@lru_cache(maxsize=64)
def needed_by(function):
    """Return the names of the arguments that a function cannot do without."""
    _, needed = arguments_of(function)
    return needed


def by_name(name, given):
    """Yield what an argument of this name asks for, if that is known."""
    params, x = given["params"], given["x"]
    if hasattr(params, "keys") and name in params:
        yield params[name]
    elif hasattr(x, "keys") and name in x:
        yield x[name]
    else:
        for role, names in (("params", PARAMS), ("x", X), ("y", Y)):
            if name in names:
                yield given[role]


def rest_of(result):
    """Return what a forward pass returned besides the loss."""
    if not isinstance(result, tuple):
        return [result]
    return [part for part in result if not is_scalar(part)]


def is_scalar(part):
    """Say whether this is one number."""
    return isinstance(part, float | np.floating) or getattr(part, "shape", None) == ()
