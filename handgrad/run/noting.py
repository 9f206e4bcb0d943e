"""The names of a user's own code, noted with their arrays as the code assigns them.

A trace function (`sys.settrace`) sees each line of the user's files as it is run. What the line
before it assigned, `h1 = ...`, `h[t] = ...`, `cache["z1"] = ...`, `hs.append(...)`, is looked up in
its frame: no source is rewritten, and each name comes with its line. The same code gives the same
names in the same order, whether it runs on NumPy's arrays or on traced ones.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NamedTuple

import numpy as np

from handgrad.run.targets import lines_of, returns_of

LONGEST = 40  # characters of an index that still makes a name
NOWHERE = 0, -1  # in a frame whose first line has not been run yet


class Noted(NamedTuple):
    """A name that was assigned, and what.

    Attributes:
        name: as the code has it, without the object or the dict that it lies in: `h1`, `h[3]`.
        value: the array, as it is then.
        container: what it was put into, `grads` of `grads["w1"]`, or nothing.
        owner: the object whose method was running, or None.
        function: the name of the function that was running.
        filename, line: where.
        is_partial: whether an array that was there before was written into.
        is_argument: whether a function, or a loop, was given it under this name.
        given: the array itself, where `value` is a copy.
        holder: the object whose attribute it is, or lies in, or None.
    """

    name: str
    value: Any
    container: str
    owner: Any
    function: str
    filename: str
    line: int
    is_partial: bool
    is_argument: bool
    given: Any = None
    holder: Any = None


@contextmanager
def noting(is_theirs: Callable[[str], bool], note: Callable[[Noted], None]) -> Iterator[None]:
    """Call `note` on each name that code of the user's files assigns, while this is open.

    `is_theirs` says of a file's name whether it is one of the user's. What `note` raises ends
    the user's code there.
    """
    before = sys.gettrace()
    sys.settrace(Watch(is_theirs, note).enter)
    try:
        yield
    finally:
        sys.settrace(before)


class Tape:
    """The names that one pass assigns, by their number: all of them, or those in `wanted`."""

    def __init__(self, wanted=None):
        self.wanted, self.count = wanted, 0
        self.notes: dict[Any, Noted] = {}

    def note(self, noted):
        """Keep a name with a copy of its array; and the array, so that no other has its id."""
        number, self.count = self.count, self.count + 1
        if self.wanted is None or number in self.wanted:
            value = noted.value
            own = value.copy() if isinstance(value, np.ndarray) else value
            self.notes[number] = noted._replace(value=own, given=value)


class Watch:
    """The trace function, and the statement that each frame is at.

    What is noted, and when, depends on which lines are run and on nothing else: so the n-th that
    is noted is the same in every run that takes the same branches.
    """

    def __init__(self, is_theirs, note):
        self.is_theirs, self.note = is_theirs, note
        self.at: dict[FrameType, tuple[int, int]] = {}  # the statement, and how far it has come

    def enter(self, frame, event, _arg):
        """Start to watch a frame, if its code is the user's; note what it was given."""
        if event != "call" or not self.is_theirs(frame.f_code.co_filename):
            return None
        code = frame.f_code
        if code.co_name.startswith("<") and code.co_name != "<module>":  # a comprehension
            return None
        self.at[frame] = NOWHERE
        count = code.co_argcount + code.co_kwonlyargcount
        for name in code.co_varnames[:count]:
            if name in frame.f_locals:
                self.tell(frame, name, frame.f_locals[name], code.co_firstlineno, "", False, True)
        return self.step

    def step(self, frame, event, arg):
        """Note what a statement assigned, or returned, when it has been run."""
        if event == "exception":
            self.at[frame] = NOWHERE
        elif event == "return":
            self.look(frame)
            self.look_at_returned(frame, arg)
            del self.at[frame]
        elif event == "line":
            statements, _ = lines_of(frame.f_code.co_filename)
            here = statements.get(frame.f_lineno, frame.f_lineno)
            last, so_far = self.at[frame]
            if here != last or frame.f_lasti <= so_far:  # else a later line of the same statement
                self.look(frame)
            self.at[frame] = here, frame.f_lasti
        return self.step

    def look(self, frame):
        """Note what the last statement of a frame assigned."""
        line, _ = self.at[frame]
        _, targets = lines_of(frame.f_code.co_filename)
        for target in targets.get(line, ()):
            try:
                index = [eval(code, frame.f_globals, frame.f_locals) for code in target.keys]
                if not all(isinstance(key, int | str | np.integer | tuple) for key in index):
                    continue  # a mask, or numbers of rows
                value = eval(target.lookup, frame.f_globals, frame.f_locals)
                holder = target.holder and eval(target.holder, frame.f_globals, frame.f_locals)
            except Exception:  # the statement was left before its end
                continue
            name, container = target.name, ""
            for key in index:
                name, container = named(name, key)
            how = target.is_partial, target.is_given, holder
            self.tell(frame, name, value, line, container, *how)

    def look_at_returned(self, frame, value):
        """Note what a return statement computes, under no name: `return x.T @ d, d.sum(0)`."""
        line, _ = self.at[frame]
        are_computed = returns_of(frame.f_code.co_filename).get(line, ())
        parts = value if isinstance(value, tuple) and len(are_computed) > 1 else (value,)
        if len(parts) == len(are_computed):
            for part, is_computed in zip(parts, are_computed, strict=True):
                if is_computed:
                    self.tell(frame, "", part, line, "", False, False)

    def tell(self, frame, name, value, line, container, is_partial, is_argument, holder=None):
        """Pass on what was noted."""
        code = frame.f_code
        first = code.co_varnames[0] if code.co_argcount else ""
        owner = frame.f_locals.get(first) if first in ("self", "cls") else None
        where = (owner, code.co_name, code.co_filename, line)
        self.note(Noted(name, value, container, *where, is_partial, is_argument, holder=holder))


def named(name, key):
    """Return the name of an entry, and what it lies in: `h[3]`, or `w1` of `grads["w1"]`."""
    if isinstance(key, str):
        return key, name
    text = "".join(str(key).split())
    return f"{name}[{text[:LONGEST]}]", name
