"""Functions that a user hands over: their names, where they were written, and what they take."""

import inspect
import linecache
import os
import sys
import types
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from handgrad.errors import InputError
from handgrad.network import Network
from handgrad.run.statements import cell_of
from handgrad.run.targets import lines_of

POSITIONAL = inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD
NO_OWNERS = type, types.ModuleType


def called(function):
    """Return what a sentence calls a function: its name."""
    return str(getattr(function, "__name__", type(function).__name__))


def owner_of(function):
    """Return the object whose method this is, or None."""
    owner = getattr(function, "__self__", None)
    return None if isinstance(owner, NO_OWNERS) else owner


def bound(function, owner):
    """Return the same method of another object of the kind; a plain function as it is."""
    return function if owner is None else getattr(owner, function.__name__)


def arguments_of(function):
    """Return the arguments that a function takes by their place, and which of them it needs."""
    try:
        taken = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        raise InputError(
            f"{called(function)} is not a function in Python: it cannot be asked what it takes."
        ) from None
    taken = [one for one in taken if one.kind in POSITIONAL]
    return [one.name for one in taken], [one.name for one in taken if one.default is one.empty]


def names_of_inputs(function, count):
    """Return the names under which a function takes so many inputs; raise InputError if it can't.

    Those that it takes as `*inputs` are called `inputs[0]`, `inputs[1]` and so on.
    """
    names, needed = arguments_of(function)
    kinds = inspect.signature(function).parameters.values()
    rest = next((one.name for one in kinds if one.kind is one.VAR_POSITIONAL), None)
    if count < len(needed) or (count > len(names) and rest is None):
        raise InputError(
            f"{called(function)} takes {', '.join(names) or 'nothing'}, and {count} inputs are "
            "given: give them in that order."
        )
    more = [f"{rest}[{number}]" for number in range(count - len(names))]
    return names[:count] + more


def theirs(*functions):
    """Return the files that are the user's, and the namespaces of their code.

    These are the functions' own, what else is defined in the same namespace (by other cells of a
    notebook), and the modules in the same folder. What was known of those files is forgotten.
    """
    linecache.checkcache()
    lines_of.cache_clear()
    plain = [inspect.unwrap(getattr(f, "__func__", f)) for f in functions]
    plain = [f if hasattr(f, "__code__") else type(f).__call__ for f in plain]
    plain = [f for f in plain if hasattr(f, "__code__")]  # else written in C
    spaces = {id(f.__globals__): f.__globals__ for f in plain}
    files = {f.__code__.co_filename for f in plain}
    for file in [file for file in files if Path(file).is_file()]:
        spaces |= {id(vars(module)): vars(module) for module in modules_in(Path(file).parent)}
    for space in spaces.values():
        files |= files_of(space)
    return files, list(spaces.values())


def modules_in(folder):
    """Return the modules that a user's file imported from its own folder.

    A process has a thousand modules in some hundred folders, so each folder is looked at once.
    """
    files = [(module, getattr(module, "__file__", None)) for module in list(sys.modules.values())]
    homes = [(module, os.path.dirname(file)) for module, file in files if isinstance(file, str)]
    here = {home for home in {home for _, home in homes} if is_folder(home, folder)}
    return [module for module, home in homes if home in here]


def is_folder(path, folder):
    """Say whether a path leads to this folder; "" is that of a file named without one."""
    with suppress(OSError):  # as a module's in an archive
        return os.path.samefile(path or os.curdir, folder)
    return False


def files_of(namespace):
    """Return the files whose code defined the functions and the classes of a namespace."""
    found = set()
    for value in list(namespace.values()):
        for one in vars(value).values() if isinstance(value, type) else [value]:
            function = getattr(one, "__func__", one)
            if isinstance(function, types.FunctionType) and function.__globals__ is namespace:
                found.add(function.__code__.co_filename)
    return found


def with_cells(network: Network) -> Network:
    """Return a Network whose lines name the cells of a notebook, where they are in some."""
    names = {file: cell_of(file) for file, _ in network.lines.values()}
    for file, name in names.items():
        if name != file:
            lines = linecache.getlines(file)
            linecache.cache[name] = len("".join(lines)), None, lines, name
    shown = {name: (names[file], number) for name, (file, number) in network.lines.items()}
    return replace(network, lines=shown)
