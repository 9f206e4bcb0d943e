"""Running a user's code: nothing is left behind, and what goes wrong is one sentence."""

import contextlib
import sys
import traceback
from pathlib import Path

import numpy as np

from parity_tests.errors import InputError
from parity_tests.own.names import as_array, checked


@contextlib.contextmanager
def importing_from(folder):
    """Let a user's file import its neighbours, and leave nothing of that behind.

    Nothing is written, `sys.path` is put back, and the neighbours are forgotten, so that
    another folder's modules of the same names are not mistaken for them.
    """
    path, quiet, before = list(sys.path), sys.dont_write_bytecode, set(sys.modules)
    folder = Path(folder).resolve()
    sys.path.insert(0, str(folder))
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.path[:] = path
        sys.dont_write_bytecode = quiet
        for name in set(sys.modules) - before:
            home = getattr(sys.modules[name], "__file__", None)
            if home is not None and Path(home).resolve().parent == folder:
                del sys.modules[name]


def read(path):
    """Return a user's file as text; raise InputError where there is no such text."""
    path = Path(path)
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is not a text file in UTF-8.") from None
    except OSError as error:
        raise InputError(f"Cannot read {path}: {error.strerror}.") from None


def execute(source, name, namespace, what):
    """Run Python source in a namespace; raise InputError, naming the line, where it fails."""
    try:
        exec(compile(source, name, "exec"), namespace)
    except SyntaxError as error:
        raise InputError(f"{what}, line {error.lineno}: {error.msg}; it is not Python.") from None
    except (Exception, SystemExit) as error:
        raise failure(what, error, name) from None


def failure(what, error, filename):
    """Return an InputError on an exception in a user's code, with the line of that code."""
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == filename]
    where = f", line {lines[-1]}" if lines else ""
    text = str(error).strip().splitlines()
    return InputError(
        f"{what}{where}: it raised {type(error).__name__}{': ' if text else ''}"
        f"{text[0] if text else ''}."
    )


def call(function, name, path, *arguments):
    """Call a function of the user's; raise InputError, naming the line, where it fails."""
    try:
        with np.errstate(all="ignore"):
            result = function(*arguments)
    except (Exception, SystemExit) as error:
        raise failure(f"{path}, {name}", error, str(path)) from None
    if name in ("forward", "backward") and not hasattr(result, "keys"):
        raise InputError(
            f"{path}: {name} must return a dict from names to arrays, found {kind(result)}."
        )
    return result


def run_both(forward, backward, path, params, x, y):
    """Run a forward and a backward pass on copies, and return what both give, as arrays.

    Raises InputError where one fails, or changes what it was given.
    """
    before = {**params, "x": x, "y": y}
    after = {name: array.copy() for name, array in before.items()}
    own = {name: after[name] for name in params}
    values = call(forward, "forward", path, own, after["x"], after["y"])
    check_unchanged("forward", path, before, {**after, **own})
    grads = call(backward, "backward", path, own, after["x"], after["y"], values)
    check_unchanged("backward", path, before, {**after, **own})
    if "loss" not in values:
        raise InputError(f"{path}: forward must return `loss`, found {', '.join(values)}.")
    return numbers(values, "forward", path), numbers(grads, "backward", path)


def check_unchanged(name, path, before, after):
    """Raise InputError where a user's function changed an array that it was given."""
    for key, array in before.items():
        if not np.array_equal(array, after[key], equal_nan=array.dtype.kind == "f"):
            raise InputError(
                f"{path}: {name} changes `{key}` in place: what it is given must stay as it is; "
                "work on a copy."
            )


def numbers(found, where, path):
    """Return a dict of arrays; raise InputError where one is none."""
    result = {}
    for name, value in found.items():
        array = as_array(value)
        if array is None:
            raise InputError(
                f"{path}: `{name}` of {where} must be an array or a number, found {kind(value)}."
            )
        result[name] = checked(f"{path}: `{name}` of {where}", array)
    return result


def kind(value):
    """Name the type of a value."""
    return type(value).__name__
