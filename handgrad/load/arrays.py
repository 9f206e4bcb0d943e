"""The arrays that a pass assigned, each with its names; and which names are those of gradients."""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from handgrad.load.names import FORMS, array_of, is_letter

CLOSE = 1e-6  # relative: two formulas for one gradient agree better, others hardly ever so well
NAMELESS = re.compile(r"(?i)d|g|grads?|gradients?|deriv(ative)?s?|dparams")  # of all there is
GRADIENTS = re.compile(  # what holds gradients; what a layer derived is kept for its backward pass
    r"(?i)d|g|.*grad.*|.*deriv(?!ed).*|.*delta.*|dparams"
)


@dataclass(eq=False)
class Array:
    """An array that a pass assigned: where it is found again, and all its names.

    `names` are pairs of a name and the object whose method assigned it, the first one first.
    `at` is its number among the names of its pass, or the way to it in what the pass returned,
    which `way` is as well. `arguments` are those of the names that a function was given it under.
    `is_partial` says that it was there before and was written into,
    `is_of_entry` that just an entry of it was, `is_kept` that an object or a dict keeps it.
    """

    at: Any
    value: np.ndarray
    names: list[tuple[str, Any]] = field(default_factory=list)
    container: str = ""
    given: int = 0
    is_partial: bool = False
    is_of_entry: bool = False
    is_kept: bool = False
    way: str = ""
    arguments: set[str] = field(default_factory=set)
    function: str = ""
    line: int = 0

    @property
    def shown(self):
        """The name that a report has: the outermost, if it is not that of an argument."""
        assigned = [name for name, _ in self.names if name and name not in self.arguments]
        return (assigned or [self.names[0][0]])[-1]


def arrays_of(notes, skipped=()):
    """Return the Arrays that a pass noted, in order; `skipped` are ids of arrays to leave out.

    What a function returns, and is given another name then, is one Array of two names.
    """
    found: list[Array] = []
    latest: dict[int, Array] = {}
    last = ""
    for number, note in notes.items():
        value, given = array_of(note.value), id(note.given)
        if value is None or value.dtype.kind != "f" or not value.size or given in skipped:
            continue
        name = note.name, owner_of(note)
        known = latest.get(given)
        if known is not None and is_alias(note, known):
            known.names.insert(0 if note.is_partial else len(known.names), name)
            known.arguments |= {note.name} if note.is_argument else set()
            known.container, known.function = note.container or known.container, note.function
            known.is_kept = known.is_kept or is_kept(note)
            continue
        is_of_entry = note.is_partial and last == note.name
        new = Array(number, value, [name], note.container, given, note.is_partial, is_of_entry)
        new.function, new.line, new.is_kept = note.function, note.line, is_kept(note)
        new.arguments |= {note.name} if note.is_argument else set()
        last = note.container
        if known is not None and new.is_partial and is_in_the_making(known, new, found[-1]):
            found.remove(known)
        latest[given] = new
        found.append(new)
    return found


def is_alias(note, known):
    """Say whether a name is another one for an array that is known: of what a function returned.

    `dscore = dmargin` in one function is a line of its own, and may be the wrong one. Clipping that
    clips nothing, of all gradients in a loop, is none of theirs.
    """
    names = [name for name, _ in known.names]
    if note.is_partial and (note.name not in names or note.name in known.arguments):
        return is_unchanged(known, note.value)
    if note.is_partial or is_number(note.given):
        return False
    return (
        note.is_argument or note.container or note.name in names or note.function != known.function
    )


def is_in_the_making(known, new, last):
    """Say whether an Array is no quantity yet: zeros, or what a loop has filled so far.

    `new` is what it has become, `last` what was assigned before that.
    """
    if not known.is_partial:
        return not known.value.any() and len(known.names) == 1
    if last is known and known.names[0][0] == new.names[0][0]:
        return True
    return known.line == new.line and bool((known.value == new.value).any())


def is_number(value):
    """Say whether a value is a number of Python's, whose id says nothing."""
    return isinstance(value, float | int)


def owner_of(note):
    """Return what tells one object's methods from another's: its id, or None for a function.

    What a network's method puts beside the `w` of a layer, as its `grad_w`, is the layer's.
    """
    bases = bases_of(note.name, note.container)
    is_beside = note.holder is not None and any(hasattr(note.holder, base) for base in bases)
    owner = note.holder if is_beside else note.owner
    return None if owner is None else id(owner)


def is_kept(note):
    """Say whether an object, a dict or a list keeps what was noted: it is more than a local."""
    return note.holder is not None or bool(note.container)


@lru_cache(maxsize=4096)
def bases_of(name, container=""):
    """Return the names that a name may be the gradient of: `h1` for `dh1` or `grad_h1`.

    What lies in a `container` of gradients is called after what it is that of: `grads["w1"]`.
    """
    return tuple(each_base(name, container))


def each_base(name, container):
    """Yield the names that `bases_of` returns, the likeliest first."""
    stem, bracket, index = name.partition("[")
    for form in FORMS:
        before, after = form.split("{}")
        if stem.startswith(before) and stem.endswith(after) and len(stem) > len(before + after):
            base = stem[len(before) : len(stem) - len(after) or None]
            if not base.isdecimal():
                yield base + bracket + index
    if stem.startswith("grad") and stem[4:5].isupper():
        yield stem[4].lower() + stem[5:] + bracket + index
    if GRADIENTS.fullmatch(container):
        yield name if stem != container else bracket + index


def is_near(one, other):
    """Say whether two arrays are the same numbers but for rounding, and not finite alike."""
    if one.shape != other.shape:
        return False
    finite = np.isfinite(one)
    if not np.array_equal(finite, np.isfinite(other)):
        return False
    largest = np.abs(one[finite]).max(initial=0.0)
    return bool((np.abs(one - other)[finite] <= CLOSE * largest).all())


def is_unchanged(known, array):
    """Say whether an Array still has the numbers that it was noted with."""
    return np.array_equal(known.value, array, equal_nan=True)


def same(one, other):
    """Say whether two names are one, but for the case of a single letter."""
    return one == other or (is_letter(one) and one.swapcase() == other)
