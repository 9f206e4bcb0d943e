"""The sentence on where nan or inf comes from."""

import linecache
import os
import re
from dataclasses import replace

import numpy as np

from handgrad.explain.origin.history import history_of, way_to
from handgrad.explain.origin.operation import level
from handgrad.run.statements import cell_of

NUMBERS = np.ndarray | np.floating | float
NAMES = 6  # on the way that are told


class Origins:
    """Where what is not finite in a run of a Network comes from, found by one run."""

    def __init__(self, network):
        self.network = network
        self.history = history_of(network)

    def of(self, name, array):
        """Return the sentence on where a quantity has nan or inf from, or "" if that is unknown."""
        name = name.partition(" (")[0]
        number = found_in(self.history, name, array)
        return "" if number is None else self.told(number, name)

    def of_loss(self):
        """Return the sentence on where the loss, the last number, or else the last array has it."""
        arrays = [n for n, e in enumerate(self.history) if isinstance(e.value, NUMBERS)]
        numbers = [n for n in arrays if np.size(self.history[n].value) == 1] or arrays
        return self.told(numbers[-1]) if numbers else ""

    def told(self, number, name=""):
        """Return the sentence on one line of the history, and the way from there to a name.

        Where none is given, it is the last that there is.
        """
        way = [self.history[n] for n in way_to(self.history, number)]
        made = [(at, one) for at, entry in enumerate(way) for one in entry.operations]
        at, first = made[-1] if made else (len(way) - 1, None)
        result = first.result if first else worst(way[at].value)
        said = f"{result} first appears on {line(self.network, way[at])}"
        said += f": {how(first, way[at])}" if first else ""
        for later, one in reversed(made[:-1]):
            on = "" if way[later] is way[at] else f" on {line(self.network, way[later])}:"
            said += f"; then{on} {how(one, way[later])}"
        names = [entry.name for entry in reversed(way[: at + 1]) if entry.name]
        names = list(dict.fromkeys([*names, *filter(None, [name])]))
        return f"{said}.{through(names)}"


def worst(value):
    """Return nan where there is one in a value, else inf."""
    return "nan" if level(value) == 2 else "inf"


def how(operation, entry):
    """Say what an operation did, and in which part of the line where that is not all of it."""
    if operation.names_it or code_of(entry).replace('"', "'").endswith(f"= {operation.code}"):
        return operation.how
    return f"in `{operation.code}`, {operation.how}"


def found_in(history, name, array):
    """Return the number of the line that made a quantity: by name and number, or by either."""
    same = [n for n, entry in enumerate(history) if is_equal(entry.value, array)]
    called = [n for n, entry in enumerate(history) if entry.name == name]
    both = [n for n in same if n in called]
    return next((numbers[-1] for numbers in (both, same, called) if numbers), None)


def is_equal(value, array):
    """Say whether a value has the numbers of an array, whatever its shape."""
    if not isinstance(value, NUMBERS) or np.size(value) != np.size(array):
        return False
    value = np.asarray(value)
    return any(
        np.array_equal(one.reshape(np.shape(array)), array, equal_nan=True)
        for one in (value, value.T)
    )


def line(network, entry):
    """Write a line, with its file where that is another one, and its code."""
    cell = re.search(r"\[(\d+)\]$", entry.filename)
    own = os.path.basename(str(network.path or network.source))
    file = os.path.basename(cell_of(entry.filename))
    where = f"line {entry.line}"
    if file.startswith("cell ["):
        where = f"line {entry.line} of {file}"
    elif cell:
        where = f"line {entry.line} of code cell {cell[1]}"
    elif own.endswith(".py") and file != own:
        where = f"line {entry.line} of {file}"
    return f"{where}, `{code_of(entry)}`"


def code_of(entry):
    """Return the code of a line, without the comment at its end."""
    return linecache.getline(entry.filename, entry.line).split("  #")[0].strip()


def through(names):
    """Say which names it goes through, up to the last."""
    if len(names) < 2:
        return ""
    way = ", ".join(f"`{name}`" for name in names[:-1][:NAMES]) + ", …" * (len(names) > NAMES + 1)
    return f" From there it goes through {way} to `{names[-1]}`."


def with_origins(network, findings, bad):
    """Return Findings with where nan or inf comes from, in the causes of those that are wrong.

    `bad` are those that are not finite. And notes: they may be right, and are of no use then.
    """
    origins = Origins(network)
    said = {f.name: origins.of(f.name, f.actual) for f in bad}
    wrong = [f for f in bad if f.verdict == "wrong" and f.cause is not None and said[f.name]]
    if not wrong:
        return findings, [note_on(bad, said)]
    return [more_told(f, said[f.name]) if f in wrong else f for f in findings], []


def more_told(finding, said):
    """Return a Finding whose cause goes on with another sentence."""
    message = f"{finding.cause.message} {said[0].upper()}{said[1:]}"
    return replace(finding, cause=finding.cause._replace(message=message))


def note_on(bad, said):
    """Say which quantities are not finite, and where the last one has that from."""
    names = ", ".join(f"`{finding.name}`" for finding in bad)
    matches = all(finding.verdict in ("match", "yours") for finding in bad)
    both = ", which matches, as the same is nan or inf in the reference" if matches else ""
    origin = next((said[f.name] for f in reversed(bad) if said[f.name]), "")
    origin = f" {origin[0].upper()}{origin[1:]}" if origin else ""
    return f"Not finite: {names}{both}; no step can be taken with a gradient like that.{origin}"
