"""A user's own forward pass as the reference: run on traced arrays, autograd differentiates it.

It is made into a module like any other. Each name that the user has a gradient for is noted as
their code assigns it, and passed through an `nn.Identity` of its own: so the engine watches it, and
puts another value or gradient in its place, as it does with a submodule's. What the user's code
decides (`h > 0`, `np.maximum`) is passed through a `Decision`, which keeps each entry on its side.
"""

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import CodeType
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from handgrad.errors import InputError
from handgrad.run.code import Code
from handgrad.run.hand_written import line_of, named_inputs, packed
from handgrad.run.kinks import Decision
from handgrad.run.noting import noting
from handgrad.run.precision import to_numpy
from handgrad.run.traced import Traced, Untraceable, traced, tracing


def not_found(result, _):
    """Stand for a Programme's loss where it has still to be found."""
    return result


@dataclass(frozen=True)
class Programme:
    """A user's own passes, as they are called.

    Attributes:
        forward: `forward(params, x, y)`, parameters flat, by name, as the Network has them; returns
            what theirs returns. Each call starts from the same state.
        backward: `backward(params, x, y, result)`, on what `forward` returned in that call; None
            where one function makes both passes.
        is_theirs: says of a file's name whether it is the user's.
        namespaces: the globals of the user's modules.
        where: what a sentence on a failure begins with.
        loss: takes what `forward` returned, and the array that was noted under `loss_at`, or None;
            returns the loss.
        loss_at: the number of the name that has the loss, where it is not returned.
        held: returns the data that the last call used, with the user's objects in it.
        given: the names that a script draws within the pass: such a gradient is no result of it.
        body, codes: the statements of a script's pass, see Code.
    """

    forward: Callable[..., Any]
    backward: Callable[..., Any] | None
    is_theirs: Callable[[str], bool]
    namespaces: list[dict[str, Any]]
    where: str
    loss: Callable[..., Any] = not_found
    loss_at: int | None = None
    held: Callable[[], dict[str, Any]] = dict
    given: frozenset[str] = frozenset()
    body: Sequence[tuple[ast.stmt, str]] = ()
    codes: list[CodeType] = field(default_factory=list)

    @property
    def code(self) -> Code:
        """The user's code, which can be run with a statement changed."""
        return Code(self.namespaces, self.is_theirs, self.body, self.codes)

    @property
    def is_one(self) -> bool:
        """Say whether one function makes both passes."""
        return self.backward is None


class Over(BaseException):
    """Raised where the forward pass is over, in a function that goes on with the backward pass."""


class OwnForward(nn.Module):
    """The user's forward pass under autograd: `model(*x)`, then `model.loss(x, y)`.

    `watched` are the arrays to watch: the numbers of names in the order in which they are assigned,
    see `handgrad.run.noting`, and of what has no name Results. `at` has the path of the module that
    each passes through. With a dict for `grads`, the gradients of all Results are put into it.
    """

    def __init__(self, programme, network, watched, grads=None):
        super().__init__()
        self.programme, self.network, self.grads = programme, network, grads
        self.own = nn.ParameterList(torch.as_tensor(np.array(w)) for w in network.params.values())
        self.decision = Decision()
        self.at = {key: f"at_{number}" for number, key in enumerate(watched)}
        for path in self.at.values():
            self.add_module(path, nn.Identity())

    def forward(self, *x):
        """Return the inputs: the targets, and so the pass itself, come with the loss."""
        return x

    def loss(self, x, y):
        """Run the user's forward pass on tensors, and return its loss as one."""
        programme, names = self.programme, self.network.params
        inputs = dict(zip(named_inputs(self.network.x), map(traced, x), strict=True))
        plain = [weight.view_as(weight) for weight in self.own]  # no Parameters, but tensors
        params = dict(zip(names, map(traced, plain), strict=True))
        noted = Noting(self)
        with tracing(programme.namespaces, self.decision, noted.result):
            result = noted.run(params, packed(inputs, self.network.x), traced(y))
            loss = programme.loss(result, noted.loss)
        if not isinstance(loss, Traced) or not loss.tensor.requires_grad:
            advice = ": weights that a function draws itself are none; draw them before it"
            raise InputError(
                f"{programme.where}: the loss depends on no parameter{'' if names else advice}."
            )
        return loss.tensor.reshape(())


class Result(NamedTuple):
    """What an operation of a traced pass gave, by its number."""

    number: int


class Noting:
    """One run of the user's forward pass, in which what is watched passes through its module."""

    def __init__(self, model):
        self.model, self.programme = model, model.programme
        self.count, self.results, self.loss = -1, -1, None

    def run(self, params, x, y):
        """Run the forward pass as far as the loss, and return what it returns."""
        where = self.programme.where
        try:
            with noting(self.programme.is_theirs, self.note):
                return self.programme.forward(params, x, y)
        except Over:
            return None
        except Untraceable as error:
            line = line_of(error, self.programme.is_theirs, where)
            raise InputError(f"{where}{line}: {error}") from None

    def note(self, noted):
        """Have a watched array pass through the module that stands for it."""
        self.count += 1
        path, value = self.model.at.get(self.count), noted.value
        if path is not None and isinstance(value, Traced) and value.tensor.requires_grad:
            value.observe(self.model.get_submodule(path), in_place=noted.is_partial)
        if self.count == self.programme.loss_at:
            self.loss = value
            if self.programme.is_one:
                raise Over

    def result(self, tensor):
        """Have a watched Result pass through its module likewise."""
        self.results += 1
        if not tensor.requires_grad:
            return tensor
        if self.model.grads is not None and tensor.numel() > 1:
            tensor.register_hook(partial(self.keep, Result(self.results)))
        path = self.model.at.get(Result(self.results))
        return tensor if path is None else self.model.get_submodule(path)(tensor)

    def keep(self, result, grad):
        """Keep the gradient of a Result."""
        self.model.grads[result] = to_numpy(grad)
