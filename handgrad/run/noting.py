"""The names of a user's own code, noted with their arrays as the code assigns them.

A trace function (`sys.settrace`) sees each line of the user's files as it is run. What the line
before it assigned, `h1 = ...`, `h[t] = ...`, `cache["z1"] = ...`, `hs.append(...)`, is looked up in
its frame: no source is rewritten, and each name comes with its line. The same code gives the same
names in the same order, whether it runs on NumPy's arrays or on traced ones.
"""

import ast
import linecache
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from types import CodeType, FrameType
from typing import Any, NamedTuple

import numpy as np

SIMPLE_CALLS = ("str", "int", "len", "abs", "min", "max")  # in an index: they change nothing
KEPT_BY = ("append", "appendleft", "extend", "insert")  # methods of lists
LONGEST = 40  # characters of an index that still makes a name
STEP = "_step_of_"  # before a weight: what a script of unnamed updates is run with
NOWHERE = 0, -1  # in a frame whose first line has not been run yet


class Target(NamedTuple):
    """What a statement assigns: its name, and code that looks it up.

    `keys` are the compiled indices of `h[t]`, and `is_partial` says that the statement writes
    into an array that was there before: `h[t] = ...`, `h += ...`.
    """

    name: str
    lookup: CodeType
    keys: tuple[CodeType, ...] = ()
    is_partial: bool = False
    is_given: bool = False


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

    def step(self, frame, event, _arg):
        """Note what a statement assigned, when it has been run."""
        if event == "exception":
            self.at[frame] = NOWHERE
        elif event == "return":
            self.look(frame)
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
            except Exception:  # the statement was left before its end
                continue
            name, container = target.name, ""
            for key in index:
                name, container = named(name, key)
            self.tell(frame, name, value, line, container, target.is_partial, target.is_given)

    def tell(self, frame, name, value, line, container, is_partial, is_argument):
        """Pass on what was noted."""
        code = frame.f_code
        first = code.co_varnames[0] if code.co_argcount else ""
        owner = frame.f_locals.get(first) if first in ("self", "cls") else None
        where = (owner, code.co_name, code.co_filename, line)
        self.note(Noted(name, value, container, *where, is_partial, is_argument))


def named(name, key):
    """Return the name of an entry, and what it lies in: `h[3]`, or `w1` of `grads["w1"]`."""
    if isinstance(key, str):
        return key, name
    text = "".join(str(key).split())
    return f"{name}[{text[:LONGEST]}]", name


@lru_cache(maxsize=64)
def lines_of(filename):
    """Return where the statements of a file begin, and what each assigns.

    The first is a dict from the number of a line to that of the first line of its statement, the
    second one from there to the Targets. The source is what Python shows in a traceback.
    """
    starts: dict[int, int] = {}
    targets: dict[int, list[Target]] = {}
    try:
        tree = ast.parse("".join(linecache.getlines(filename)))
    except (SyntaxError, ValueError, RecursionError):
        return starts, targets
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt):
            if not hasattr(node, "body"):
                lines = range(node.lineno, (node.end_lineno or node.lineno) + 1)
                starts.update(dict.fromkeys(lines, node.lineno))
            found = list(assigned(node))
            targets.setdefault(node.lineno, []).extend(found)
    return starts, targets


def assigned(node):
    """Yield the Targets of a statement."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield from targets_in(target, False)
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        yield from targets_in(node.target, False)
    elif isinstance(node, ast.AugAssign):
        yield from targets_in(node.target, True)
        if isinstance(node.target, ast.Name):  # only there where the update was run as a gradient
            step = compile(f"{STEP}{node.target.id}", "<target>", "eval")
            yield Target(f"grad_{node.target.id}", step)
    elif isinstance(node, ast.For):
        yield from (target._replace(is_given=True) for target in targets_in(node.target, False))
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield from called_on(node.value)


def targets_in(target, is_partial):
    """Yield the Targets in what stands left of an `=`."""
    if isinstance(target, ast.Name):
        yield Target(target.id, compiled(target), (), is_partial)
    elif isinstance(target, ast.Attribute):
        yield Target(target.attr, compiled(target), (), is_partial)
    elif isinstance(target, ast.Starred):
        yield from targets_in(target.value, is_partial)
    elif isinstance(target, ast.Tuple | ast.List):
        for part in target.elts:
            yield from targets_in(part, is_partial)
    elif isinstance(target, ast.Subscript):
        yield from entry_and_whole(target)


def entry_and_whole(target):
    """Yield the Targets of `h[t] = ...`: the entry, and the whole that it lies in."""
    indices: list[CodeType] = []
    base: ast.expr = target
    while isinstance(base, ast.Subscript):
        if not is_simple(base.slice):
            indices.clear()
        elif is_key(base.slice):
            indices.insert(0, compiled(base.slice))
        base = base.value
    name = base.id if isinstance(base, ast.Name) else getattr(base, "attr", None)
    if name is None:
        return
    is_whole = is_simple(target.slice) and is_key(target.slice)
    if indices and is_whole:
        yield Target(name, compiled(target), tuple(indices), True)
    yield Target(name, compiled(base), (), True)


def called_on(call):
    """Yield the Targets of a call that changes what it is called on, or is given.

    `hs.append(h)` makes an entry; what `np.add.at(dw, ...)`, `np.copyto(h, ...)` and the like are
    given first, they write into.
    """
    function = call.func
    if not isinstance(function, ast.Attribute):
        return
    if function.attr == "append" and isinstance(function.value, ast.Name | ast.Attribute):
        of = ast.unparse(function.value)
        name = of.rpartition(".")[2]
        last = compile(f"{of}[-1]", "<entry>", "eval")
        yield Target(name, last, (compile(f"len({of}) - 1", "<index>", "eval"),), False)
        return
    if function.attr in KEPT_BY:  # `cache["h"].append(h)`: nothing is written into h
        return
    outs = [keyword.value for keyword in call.keywords if keyword.arg == "out"]
    for written in outs or call.args[:1]:
        if outs or isinstance(written, ast.Name | ast.Attribute):
            yield from targets_in(written, True)


def is_key(index):
    """Say whether an index picks one entry, a number or a name, rather than a part."""
    return not any(isinstance(node, ast.Slice | ast.Compare) for node in ast.walk(index))


def is_simple(index):
    """Say whether an index can be computed again, and changes nothing."""
    return all(
        not isinstance(node, ast.Call | ast.NamedExpr | ast.Await | ast.Yield)
        or (isinstance(node, ast.Call) and getattr(node.func, "id", None) in SIMPLE_CALLS)
        for node in ast.walk(index)
    )


def compiled(node):
    """Compile an expression as one that is read."""
    source = ast.unparse(node)
    return compile(source, "<target>", "eval")
