"""A user's passes, run with every name that they assign noted, as the passes of a Network."""

import re
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, field, replace
from functools import partial
from io import StringIO
from typing import Any, NamedTuple

import numpy as np

from handgrad.errors import InputError
from handgrad.load.arrays import bases_of
from handgrad.load.implied import implied
from handgrad.load.names import array_of
from handgrad.load.nested import flat
from handgrad.run.hand_written import as_array, call, mapped
from handgrad.run.noting import Noted, Tape, noting
from handgrad.run.own_forward import Programme, not_found

LOSSES = ("loss", "cost", "L", "J", "total_loss", "error", "err", "E", "nll")
LOSS = re.compile(r"(?i)(?!d|grad)(\w*_)?(loss|cost)(_\w*)?")


class Values(dict):
    """The values of a forward pass; `result` and `tape` are for the backward pass."""

    result: Any = None
    tape: Any = None


@dataclass(frozen=True)
class NotedPasses:
    """A user's passes, as those of a Network: what they assign, under the names that it has.

    `values` and `grads` have for each name where its array is: the number of a name in its pass, or
    the way to it in what the pass returned. `shapes` has those that gradients are given, which
    have an axis of length 1 too many or too few.
    """

    programme: Programme
    values: Mapping[str, Any]
    grads: Mapping[str, Any]
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def forward(self, params, x, y):
        """Run the forward pass, and return its values and the loss."""
        wanted = [*self.values.values(), self.programme.loss_at]
        if self.programme.is_one:
            wanted += roots_of(self.grads)
        tape = Tape(wanted)
        if wanted == [None]:  # the loss alone, as it is returned: nothing is to be noted
            result = self.programme.forward(params, x, y)
        else:
            with noting(self.programme.is_theirs, tape.note):
                result = self.programme.forward(params, x, y)
        values = Values(found(self.values, result, tape))
        values["loss"] = as_array(loss_of(self.programme, result, tape))
        values.result, values.tape = result, tape
        return values

    def backward(self, params, x, y, values):
        """Run the backward pass, and return its gradients."""
        if self.programme.backward is None:
            return self.fitted(found(self.grads, values.result, values.tape))
        tape = Tape(roots_of(self.grads))
        with noting(self.programme.is_theirs, tape.note):
            result = self.programme.backward(params, x, y, values.result)
        return self.fitted(found(self.grads, result, tape))

    def fitted(self, grads):
        """Return gradients in the shapes of what they are the gradients of."""
        shapes = {name: self.shapes[name] for name in grads if name in self.shapes}
        return grads | {n: grads[n].reshape(s) for n, s in shapes.items() if is_fit(grads[n], s)}


def is_fit(array, shape):
    """Say whether an array has this shape, but for axes of length 1."""
    return [side for side in array.shape if side != 1] == [side for side in shape if side != 1]


def loss_of(programme, result, tape):
    """Return the loss of a pass."""
    noted = tape.notes.get(programme.loss_at)
    return programme.loss(result, None if noted is None else noted.value)


def root_of(at):
    """Return what a place in a pass is found by: the number of a name, or the way to it."""
    while isinstance(at, tuple):
        at = at[0]
    return at


def roots_of(places):
    """Return what the places in a pass are found by."""
    return [root_of(at) for at in places.values()]


def found(places, result, tape):
    """Return the arrays at these places of a pass, by name."""
    returned = flat(result) if any(isinstance(at, str) for at in roots_of(places)) else {}
    arrays = {}
    for name, at in places.items():
        array = as_array(array_at(at, returned, tape.notes))
        if array is not None:
            arrays[name] = array
    return arrays


class Scaled(NamedTuple):
    """A place of a pass whose array carries a multiple."""

    at: Any
    scale: float


def array_at(at, returned, notes):
    """Return what is at a place of a pass, or None: see Array in `handgrad.load.arrays`."""
    if isinstance(at, Scaled):
        array = as_array(array_at(at.at, returned, notes))
        return None if array is None else array / at.scale
    if not isinstance(at, tuple):
        return notes[at].value if at in notes else returned.get(at)
    number, inner = at
    if isinstance(inner, str):  # in a list that was noted
        return flat(notes[number].given).get(inner) if number in notes else None
    array = array_at(number, returned, notes)
    return None if array is None else array[inner]


@dataclass(frozen=True)
class First:
    """The passes as they ran once: what they were given, assigned and returned.

    `seed` is the number of the gradient that is taken as it is, where there is no loss, `changed`
    are the names of the arrays that are others after a script's pass.
    """

    programme: Programme
    params: Mapping[str, Any]
    x: Any
    y: Any
    values: Mapping[int, Noted]
    grads: Mapping[int, Noted]
    returned: Any
    seed: int | None = None
    changed: frozenset[str] = frozenset()


def first_run(programme, params, x, y):
    """Run both passes once, as they are, and find the loss; what they print is shown this once."""
    params, x, y = mapped(np.ndarray.copy, (dict(params), x, y))
    where, tape = programme.where, Tape()
    with noting(programme.is_theirs, tape.note):
        name = "the pass" if programme.is_one else "the forward pass"
        result = call(programme.forward, name, where, params, x, y)
    values = grads = tape.notes
    returned = result
    if not programme.is_one:
        back = Tape()
        with noting(programme.is_theirs, back.note):
            returned = call(programme.backward, "the backward pass", where, params, x, y, result)
        grads = back.notes
    programme, seed = with_loss(programme, result, values, grads)
    if programme.is_one:
        values = {n: note for n, note in values.items() if n <= programme.loss_at}
    return First(silent(programme), params, x, y, values, grads, returned, seed)


def silent(programme):
    """Return a Programme whose passes print nothing: they are run dozens of times."""
    backward = programme.backward
    return replace(
        programme,
        forward=without_prints(programme.forward),
        backward=None if backward is None else without_prints(backward),
    )


def without_prints(function):
    """Return a function that prints nothing."""

    def run(*arguments):
        with redirect_stdout(StringIO()):
            return function(*arguments)

    return run


def with_loss(programme, result, values, grads):
    """Return a Programme that knows where the loss is; and the seed, see First.

    Where there is no loss, the first gradient of the backward pass is taken as it is, as a layer's
    is, which comes from the next one: the loss is then the sum of the value times that. Raises
    InputError where there is no gradient either.
    """
    if programme.loss is not not_found:  # a layer's
        return programme, None
    way = None if programme.is_one else way_to_loss(result)
    if way is not None:
        return replace(programme, loss=lambda result, _: at_way(result, way)), None
    numbers = {n: note.name for n, note in values.items() if may_be_loss(note.value)}
    best = min((LOSSES.index(name) for name in numbers.values() if name in LOSSES), default=None)
    losses = [] if best is None else [n for n, name in numbers.items() if name == LOSSES[best]]
    losses = losses or [n for n, name in numbers.items() if LOSS.fullmatch(name)]
    if losses:
        at = first_of(values[losses[-1]], values)
        return replace(programme, loss=lambda _, noted: noted, loss_at=at), None
    leaves = {id(array) for array in programme.held().values()}  # the slope of these is the last
    computed = {n: note for n, note in values.items() if id(note.given) not in leaves}
    for number, grad in grads.items():
        at = value_of(grad, computed, number if programme.is_one else None)
        if at is not None:
            loss = partial(times, upstream=np.array(grad.value, np.float64))
            return replace(programme, loss=loss, loss_at=at), number
    told = implied(programme, values) if programme.is_one else None
    if told is not None:
        return told, None
    where = (
        "return it from forward" if not programme.is_one else "put that line before the gradients"
    )
    raise InputError(
        f"{programme.where}: no loss was found, the number that is differentiated: assign it as "
        f"`loss = ...`, and {where}."
    )


def first_of(loss, values):
    """Return the number of the first name of a loss: a function may have returned it.

    Of `loss = float(loss)` it is what was there before: autograd does not follow a float. A sum
    that a loop adds nothing to is no other name for what it was before.
    """
    for number, note in values.items():
        is_float = note.name == loss.name and type(loss.given) is float
        is_same = (note.given is loss.given or is_float) and may_be_loss(note.value)
        if is_same and np.array_equal(note.value, loss.value, True):
            return number
    raise AssertionError("the loss itself is among them")


def value_of(grad, values, before):
    """Return the number of the last value, `before` its gradient, that this is the gradient of."""
    bases, array = list(bases_of(grad.name, grad.container)), array_of(grad.value)
    if array is None or array.dtype.kind != "f":
        return None
    for number, value in reversed(values.items()):
        is_before = before is None or number < before
        if value.name in bases and is_before and not value.is_argument:
            other = array_of(value.value)
            if other is not None and other.shape == array.shape:
                return number
    return None


def times(_, noted, upstream):
    """Return the loss whose gradient of what was noted is `upstream`."""
    return (noted * upstream).sum()


def way_to_loss(result):
    """Return where in what a forward pass returns the loss is: a key, () for itself, or None."""
    if may_be_loss(result):
        return ()
    keys: list[Any] = []
    if hasattr(result, "keys"):
        keys = [name for name in LOSSES if name in result][:1]
    elif isinstance(result, tuple | list):
        keys = list(range(len(result)))
    keys = [key for key in keys if may_be_loss(result[key])]
    return keys[0] if len(keys) == 1 else None


def at_way(result, way):
    """Return the loss in what a forward pass returned."""
    return result if way == () else result[way]


def may_be_loss(value):
    """Say whether this is one number that may be a loss: no whole one."""
    array = as_array(value)
    return array is not None and array.size == 1 and array.dtype.kind == "f"
