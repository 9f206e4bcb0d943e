"""How the hand-written side runs: on copies, and what goes wrong in it is one sentence."""

import copy
import os
import re
import traceback
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from handgrad.errors import InputError
from handgrad.run.precision import mapped

LONGEST = 300  # characters of what an exception says: some print a whole array


def run_hand_written(network):
    """Return the trace of a Network's hand-written side.

    Raises InputError, naming the line, where `forward` or `backward` fails, changes what it was
    given, or returns what cannot be compared.
    """
    if network.quantities is not None:
        return {**network.params, **network.quantities}
    where = network.path or network.name
    values, grads = run_both(network, where)
    return {**network.params, **values, **grads}


def can_run(network):
    """Say whether a Network's hand-written side can be run, and run again."""
    return network.forward is not None and network.backward is not None


def run_again(network, dtype, move=None):
    """Return the trace of a Network's hand-written side with all floating point data in a dtype.

    The quantities have the names of the reference. With `move` the backward pass gets what that
    makes of each array that the forward pass returned.
    """
    again = in_dtype(network, dtype)
    found: dict[str, Any] = {}
    for arrays in passes(again, network.path or network.name, move):
        found |= {name: as_array(array) for name, array in arrays.items()}
    return {**again.params, **found}


def in_dtype(network, dtype):
    """Return a Network with its floating point data in another dtype, whole numbers as they are."""

    def cast(array):
        return array.astype(dtype) if array.dtype.kind == "f" else array

    params, x, y = mapped(cast, (network.params, network.x, network.y))
    return replace(network, params=params, x=x, y=y)


def run_both(network, where):
    """Run the forward and the backward pass on copies, and return the arrays that each gives."""
    values, grads = passes(network, where)
    return arrays_of(values, "forward", where), arrays_of(grads, "backward", where)


def passes(network, where, move=None):
    """Run the forward and the backward pass on copies, and return what each returns."""
    params, x, y = mapped(np.ndarray.copy, (network.params, network.x, network.y))
    values = call(network.forward, "forward", where, params, x, y)
    check_unchanged("forward", where, network, params, x, y)
    if "loss" not in values:
        raise InputError(f"{where}: forward must return `loss`, found {', '.join(values)}.")
    given = values if move is None else moved(move, values)
    grads = call(network.backward, "backward", where, params, x, y, given)
    check_unchanged("backward", where, network, params, x, y)
    return values, grads


def moved(move, data):
    """Return what a forward pass gave with what `move` makes of its arrays of floating point."""
    if isinstance(data, np.ndarray):
        return move(data).astype(data.dtype) if data.dtype.kind == "f" else data
    if isinstance(data, dict):
        again = copy.copy(data)
        again.update({key: moved(move, part) for key, part in data.items()})
        if hasattr(again, "result"):  # what a user's own function returned
            again.result = moved(move, again.result)
        return again
    return type(data)(moved(move, part) for part in data) if type(data) in (list, tuple) else data


def call(function, name, where, *arguments):
    """Call a function of the user's; raise InputError, naming the line, where it fails."""
    try:
        with np.errstate(all="ignore"):
            result = function(*arguments)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise failure(f"{where}, {name}", error, str(where)) from None
    if name in ("forward", "backward") and not hasattr(result, "keys"):
        raise InputError(
            f"{where}: {name} must return a dict from names to arrays, found "
            f"{type(result).__name__}."
        )
    return result


def failure(what, error, filename):
    """Return an InputError on an exception in a user's code, with the line of that code.

    Code of `filename` is that of a file, or of a cell of a notebook, `filename [3]`. Where none of
    it was running, the line is the one of ours, or of a library, that failed.
    """
    where = line_of(error, lambda name: f"{name} [".startswith(f"{filename} ["), filename, what)
    frames = list(traceback.walk_tb(error.__traceback__))
    if frames and not where:
        frame, line = frames[-1]
        where = f", at {os.path.basename(frame.f_code.co_filename)}:{line}"
    return InputError(f"{what}{where}: it raised {one_line(error)}.")


def line_of(error, is_theirs, filename, what=""):
    """Return the user's line that an exception came through last, as part of a sentence, or "".

    `is_theirs` says of a file's name whether it is the user's. A cell of the notebook `filename` is
    named, unless `what` comes before and has named it.
    """
    frames = [(f.f_code.co_filename, line) for f, line in traceback.walk_tb(error.__traceback__)]
    own = [(name, line) for name, line in frames if is_theirs(name)]
    if not own:
        return ""
    name, line = own[-1]
    cell = re.fullmatch(r"\[(\d+)\]", name.removeprefix(filename).strip())
    said = f"code cell {cell[1]}" if cell else ""
    return f", line {line}" if said in str(what) else f", {said}, line {line}"


def one_line(error):
    """Return an exception as one line: its type and the start of the first line of what it says."""
    try:
        lines = str(error).strip().splitlines()
    except KeyboardInterrupt:
        raise
    except BaseException:  # how it is written is the user's code as well
        lines = []
    said = f": {lines[0][:LONGEST]}" if lines else ""
    return f"{type(error).__name__[:LONGEST]}{said}".rstrip(".")


def check_unchanged(name, where, network, params, x, y):
    """Raise InputError where a user's function changed an array that it was given."""
    before = {**network.params, **named_inputs(network.x), "y": network.y}
    after = {**params, **named_inputs(x), "y": y}
    for key, array in before.items():
        is_same = np.array_equal(array, after[key])  # mostly: nan, which equals none, takes longer
        if not (is_same or np.array_equal(array, after[key], equal_nan=array.dtype.kind == "f")):
            raise InputError(
                f"{where}: {name} changes `{key}` in place: what it is given must stay as it is; "
                "work on a copy."
            )


def named_inputs(x):
    """Return the inputs by name: `x`, of several `x1`, `x2` and so on, or the names of a dict."""
    if isinstance(x, dict):
        return x
    if isinstance(x, tuple):
        return {f"x{number}": array for number, array in enumerate(x, 1)}
    return {"x": x}


def packed(inputs, x):
    """Return inputs by name, as `named_inputs` has them, packed as x is."""
    if isinstance(x, dict):
        return dict(inputs)
    arrays = tuple(inputs.values())
    return arrays if isinstance(x, tuple) else arrays[0]


def arrays_of(found, what, where):
    """Return a dict as one of arrays; raise InputError where something in it is none."""
    result = {}
    for name in found:
        array = as_array(found[name])
        if array is None:
            raise InputError(
                f"{where}: `{name}` of {what} must be an array or a number, found "
                f"{type(found[name]).__name__}."
            )
        result[name] = checked(f"{where}: `{name}` of {what}", array)
    return result


def as_array(value: Any) -> np.ndarray | None:
    """Return a number, array or tensor as a NumPy array, or None for anything else."""
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().to_dense()
        return (value.float() if value.dtype is torch.bfloat16 else value).numpy()
    if isinstance(value, list | tuple):
        try:
            value = np.asarray(value)
        except Exception:  # rows of different lengths, tensors that require grad, anything
            return None
        return value if value.dtype.kind in "fiu" else None
    if isinstance(value, np.ndarray | np.generic | float | int) and not isinstance(value, bool):
        return np.asarray(value)
    return None


def checked(name, array):
    """Return an array as it is; raise InputError where it cannot be compared."""
    if array.size == 0:
        raise InputError(f"{name} is empty, its shape is {array.shape}: there is nothing to check.")
    if array.dtype.kind not in "fiu" or array.dtype.itemsize > 8:
        raise InputError(
            f"{name} must hold real numbers, found dtype {array.dtype}: make it float64."
        )
    return array
