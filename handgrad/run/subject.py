"""What a custom function is: an autograd.Function, a custom operator or another callable.

What autograd can see of it is its forward pass, called with something that stands in for `ctx`.
"""

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import torch

from handgrad.errors import InputError


class Subject(NamedTuple):
    """What is checked.

    `function` is the class of an autograd.Function, None of another callable. `names` are those of
    the arguments, `is_new` says that it has a `setup_context`, and `body` is the forward pass as
    autograd can see it, None where it cannot.
    """

    name: str
    function: Any
    call: Callable[..., Any]
    names: list[str]
    is_new: bool
    body: Callable[..., Any] | None


class StandIn:
    """A `ctx` for a forward pass that autograd shall see: it keeps what it is told."""

    def __init__(self, needs_input_grad):
        self.needs_input_grad = needs_input_grad
        self.dirty_tensors: tuple[torch.Tensor, ...] = ()
        self.saved_tensors: tuple[torch.Tensor, ...] = ()

    def save_for_backward(self, *tensors):
        """Keep tensors for the way back."""
        self.saved_tensors = tensors

    def mark_dirty(self, *tensors):
        """Note the inputs that are written over on purpose."""
        self.dirty_tensors = tensors

    def ignore(self, *_):
        """Do nothing: it is for the way back, or is read off the real run."""
        return None

    save_for_forward = mark_non_differentiable = set_materialize_grads = ignore

    def attributes(self):
        """Return what was set on it by name."""
        own = ("needs_input_grad", "dirty_tensors", "saved_tensors")
        return {name: value for name, value in vars(self).items() if name not in own}


def subject_of(function):
    """Return the Subject of what a user gives; raise InputError where it cannot be called."""
    function = getattr(function, "__self__", function) if is_apply(function) else function
    if not callable(function):
        raise InputError(
            "The function must be a torch.autograd.Function or another callable on tensors, found "
            f"{type(function).__name__}."
        )
    if not isinstance(function, type) or not issubclass(function, torch.autograd.Function):
        # a custom operator has a Python body; there is no public way to it
        own = getattr(function, "_init_fn", None)
        name = getattr(function, "__name__", getattr(function, "_name", type(function).__name__))
        return Subject(name, None, function, names_of(own or function), False, own)
    is_new = function.setup_context is not torch.autograd.Function.setup_context
    names = names_of(function.forward)[0 if is_new else 1 :]

    def body(*arguments):
        needs = tuple(getattr(argument, "requires_grad", False) for argument in arguments)
        return function.forward(*(() if is_new else (StandIn(needs),)), *arguments)

    return Subject(function.__name__, function, function.apply, names, is_new, body)


def is_apply(function):
    """Say whether this is the `apply` of an autograd.Function."""
    owner = getattr(function, "__self__", None)
    return isinstance(owner, type) and issubclass(owner, torch.autograd.Function)


def names_of(function):
    """Return the names of a function's arguments, as far as it has any; `*` is before the last."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    return [("*" if p.kind is p.VAR_POSITIONAL else "") + p.name for p in parameters]
