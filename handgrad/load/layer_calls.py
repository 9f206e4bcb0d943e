"""How a layer's two functions are called, and what their arguments are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any, NamedTuple

import numpy as np
import torch

from handgrad.errors import InputError
from handgrad.load.defined import arguments_of, bound, called, owner_of
from handgrad.load.nested import copied, flat, is_tensor, own_copy, rebuilt
from handgrad.load.noted_passes import may_be_loss
from handgrad.load.programme import State
from handgrad.run.hand_written import as_array
from handgrad.run.traced import Traced, traced


class Passed(NamedTuple):
    """What a forward pass leaves for the backward pass; the inputs are those that it ran on."""

    returned: Any
    inputs: dict[str, Any]
    upstream: dict[str, Any]


class Roles(NamedTuple):
    """What the arguments of backward are.

    `upstream` are those that take the gradients of the outputs, in the order of these; `cache`
    takes the cache; `inputs` has the input that an argument takes.
    """

    upstream: tuple[str, ...] = ()
    cache: str | None = None
    inputs: Mapping[str, str] = {}


@dataclass
class Layer:
    """A user's two functions and the inputs by name, the object whose methods they are with them.

    `leaves` are the float arrays in the inputs; `held` is what the last forward pass ran on, and
    `handed` has the upstream gradients that backward was given last.
    """

    forward: Callable[..., Any]
    backward: Callable[..., Any]
    inputs: dict[str, Any]
    leaves: Mapping[str, Any]
    taken: list[str]
    state: State
    roles: Roles = field(default_factory=Roles)
    held: dict[str, Any] = field(default_factory=dict)
    handed: dict[str, Any] = field(default_factory=dict)

    def run_forward(self, params, x, _y=None):
        """Run forward on copies of the inputs, in which these arrays are put, by name."""
        self.state.put_back()
        self.held = self.fresh({**params, **x})
        upstream = {name: array for name, array in x.items() if name not in self.inputs}
        function = self.method(self.forward, self.held)
        return Passed(function(*(self.held[name] for name in self.taken)), self.held, upstream)

    def run_backward(self, _params, _x, _y, passed):
        """Run backward on what was passed, and return its gradients: of one alone, a tuple."""
        self.state.put_back()
        outputs, cache = split(passed.returned, self.roles)
        kinds = {
            way: like
            for out, n in zip(outputs, self.roles.upstream, strict=False)
            for way, like in flat(out, n).items()
        }
        self.handed = {n: as_given(kinds[n], array) for n, array in passed.upstream.items()}
        given = {name: passed.inputs[of] for name, of in self.roles.inputs.items()}
        for name, output in zip(self.roles.upstream, outputs, strict=False):
            given[name] = rebuilt(output, self.handed, name)
        if self.roles.cache is not None:
            given[self.roles.cache] = cache
        found = called_with(self.method(self.backward, passed.inputs), given)
        return found if isinstance(found, tuple | list | dict) else (found,)

    def fresh(self, arrays):
        """Return copies of all inputs, in which these arrays are put, by name."""
        is_tracing = any(map(is_tensor, arrays.values()))
        memo = {}
        for name, leaf in self.leaves.items():
            array = arrays.get(name)
            if array is None:
                array = as_array(leaf)
                array = traced(torch.tensor(array)) if is_tracing else array
            memo[id(leaf)] = as_given(leaf, array)
        for name, value in self.inputs.items():
            if name in arrays and name not in self.leaves:
                memo[id(value)] = as_given(value, arrays[name])
        return {name: copied(value, memo) for name, value in self.inputs.items()}

    def method(self, function, inputs):
        """Return a function as it is; of a method, that of the object among the inputs."""
        owner = owner_of(function)
        return bound(function, owner and inputs[type(owner).__name__])

    def loss(self, passed, _):
        """Return the number whose gradients by the outputs are the upstream ones."""
        outputs, _ = split(passed.returned, self.roles)
        terms = []
        for output, name in zip(outputs, self.roles.upstream or ["loss"], strict=False):
            for way, array in flat(output, name).items():
                upstream = passed.upstream.get(way)
                terms.append(array if upstream is None else (array * times(array, upstream)).sum())
        total = sum(terms[1:], terms[0])
        is_followed = isinstance(total, torch.Tensor) and total.requires_grad
        return traced(total) if is_followed else total


def called_with(function, given):
    """Call a function with its arguments by name: by place as far as there is no gap."""
    names, _ = arguments_of(function)
    by_place = list(takewhile(given.__contains__, names))
    others = {name: value for name, value in given.items() if name not in by_place}
    return function(*(given[name] for name in by_place), **others)


def as_given(like, array):
    """Return an array, or a traced one, as a copy of the kind that the user has: NumPy's or not."""
    if not isinstance(like, torch.Tensor):
        return own_copy(array)
    if type(array) is Traced:
        return array.tensor.clone()
    return torch.tensor(array)


def times(array, upstream):
    """Return an upstream gradient as what an output can be multiplied by."""
    if not isinstance(array, torch.Tensor):
        return upstream
    return upstream.tensor if type(upstream) is Traced else torch.as_tensor(upstream)


def split(returned, roles):
    """Return the outputs in what forward returned, as many as have an upstream, and the cache."""
    if roles.cache is None:
        outputs = returned if isinstance(returned, tuple) else (returned,)
        return outputs[: len(roles.upstream) or 1], None
    if not roles.upstream:
        return returned[:1], returned[-1] if len(returned) == 2 else returned[1:]
    return returned[: len(roles.upstream)], returned[-1]


def roles_of(backward, taken, returned):
    """Return what the arguments of backward are; raise InputError where that cannot be told.

    Those that are called as an input of forward take that input. Of the others the last takes the
    cache and those before take the gradients of the outputs; where forward returns no cache, the
    inputs come after these.
    """
    names, needed = arguments_of(backward)
    inputs = {name: name for name in names if name in taken}
    left = [name for name in needed if name not in inputs]
    parts = returned if isinstance(returned, tuple) else (returned,)
    if inputs and all(name in inputs for name in taken) and len(left) == len(parts):
        return Roles(tuple(left), None, inputs)
    if len(left) == 1 and may_be_loss(parts[0]) and "cache" in left[0].lower():
        return Roles((), left[0], inputs)
    if len(left) <= 1:
        return Roles(tuple(left), None, inputs)
    if len(left) == len(parts) + len(taken) and not inputs:
        of = dict(zip(left[len(parts) :], taken, strict=True))
        return Roles(tuple(left[: len(parts)]), None, of)
    if isinstance(returned, tuple) and 2 <= len(left) <= len(parts):
        return Roles(tuple(left[:-1]), left[-1], inputs)
    found = f"{len(parts)} things" if isinstance(returned, tuple) else "one thing"
    raise InputError(
        f"{called(backward)} takes {', '.join(names)}, and forward returns {found}: they should be "
        "`out, cache = forward(*inputs)` and `backward(dout, cache)`, or backward(dout, *inputs)."
    )


def drawn(returned, roles, where):
    """Return upstream gradients, drawn at random in the shapes of the outputs, by name."""
    rng = np.random.default_rng(0)
    outputs, _ = split(returned, roles)
    found = {}
    for name, output in zip(roles.upstream, outputs, strict=False):
        arrays = {way: as_array(array) for way, array in flat(output, name).items()}
        floats = {w: a for w, a in arrays.items() if a is not None and a.dtype.kind == "f"}
        if not floats or len(floats) < len(arrays):
            raise InputError(
                f"{where}: what {name} is the gradient of must be a float array, or several in a "
                f"tuple, found {type(output).__name__}."
            )
        for way, array in floats.items():
            found[way] = rng.standard_normal(array.shape).astype(array.dtype)
    return found
