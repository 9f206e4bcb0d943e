"""The statements of a user's code, each with what it read, what it made and what it called.

A trace function sees each line before it runs; what it reads is kept until it has run. No source
is rewritten, and no function of the user's is called a second time.
"""

import ast
import linecache
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple

import numpy as np

from handgrad.run.noting import Watch
from handgrad.run.targets import called_on, is_simple, lines_of, targets_in

PACKAGE = Path(__file__).parents[1]
LIBRARIES = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib")})
COMPREHENSIONS = "<listcomp>", "<genexpr>", "<setcomp>", "<dictcomp>"
COPIED = 2**16  # entries: of a larger array that is written into, what was there before is lost


class Ran(NamedTuple):
    """A statement that has run.

    Attributes:
        node: the statement, or the Lambda whose value was returned.
        before: what its frame held before it, by name; of what it writes into a copy, that of
            `grads["w"]` under "grads['w']".
        written: by the same names, what these are the copies of.
        made: what it made: its name, "" of what it returned, the value, and of `a, b = ...` which
            of these.
        calls: the code of each user's function that it called, and what that returned, in order;
            within a comprehension, for which a statement has one call and runs it often, not the
            code, but None.
        names: the globals of its frame.
        function, filename, line: where.
    """

    node: ast.AST
    before: dict[str, Any]
    written: dict[str, Any]
    made: list[tuple[str, Any, int | None]]
    calls: list[tuple[CodeType | None, Any]]
    names: dict[str, Any]
    function: str
    filename: str
    line: int


@contextmanager
def statements(see: Callable[[Ran], None]) -> Iterator[None]:
    """Call `see` on each statement of the user's code that has run, while this is open."""
    linecache.checkcache()  # a file may be another one than when it was last read
    for known in (lines_of, is_theirs, statements_in):
        known.cache_clear()
    before = sys.gettrace()
    sys.settrace(Statements(see).enter)
    try:
        yield
    finally:
        sys.settrace(before)


@lru_cache(maxsize=256)
def is_theirs(filename):
    """Say whether code of this file is the user's: neither Handgrad's nor a library's."""
    if not linecache.getlines(filename):
        return False
    path = Path(filename)
    if path.is_relative_to(PACKAGE):
        return path.parent.name == "manual"
    return "site-packages" not in path.parts and not any(map(path.is_relative_to, LIBRARIES))


@lru_cache(maxsize=64)
def statements_in(filename):
    """Return the statements of a file, and its Lambdas, by the scope that they are in and line."""
    found: dict[tuple[str, int], list[ast.AST]] = {}
    try:
        tree = ast.parse("".join(linecache.getlines(filename)))
    except (SyntaxError, ValueError, RecursionError):
        return found
    waiting: list[tuple[ast.AST, str]] = [(tree, "<module>")]
    while waiting:
        node, scope = waiting.pop()
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Return | ast.Expr):
            found.setdefault((scope, node.lineno), []).append(node)
        elif isinstance(node, ast.Lambda):
            found.setdefault(("<lambda>", node.lineno), []).append(node)
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            scope = node.name
        waiting += [(child, scope) for child in ast.iter_child_nodes(node)]
    return found


class Statements(Watch):
    """The trace function, and for each frame what is known of the statement that it is at."""

    def __init__(self, see):
        super().__init__(is_theirs, lambda _: None)
        self.see = see
        self.before: dict[FrameType, tuple[dict[str, Any], dict[str, Any]]] = {}
        self.calls: dict[FrameType, list[tuple[CodeType | None, Any]]] = {}
        self.returned: Any = None

    def enter(self, frame, event, arg):
        """Start to watch a frame; a Lambda's as well, which assigns nothing, but returns."""
        if frame.f_code.co_name == "<lambda>" and is_theirs(frame.f_code.co_filename):
            self.at[frame] = 0, -1
            return self.step
        return super().enter(frame, event, arg)

    def step(self, frame, event, arg):
        """Go on to the next statement, or back to the caller with what is returned."""
        self.returned = arg
        result = super().step(frame, event, arg)
        if event == "return":
            self.before.pop(frame, None)
            self.calls.pop(frame, None)
            caller, code = frame.f_back, frame.f_code
            while caller is not None and caller.f_code.co_name in COMPREHENSIONS:
                caller, code = caller.f_back, None
            if caller in self.at:
                self.calls.setdefault(caller, []).append((code, arg))
        return result

    def look(self, frame):
        """See the statement that has run, and keep what the next one reads."""
        line, _ = self.at[frame]
        before, written = self.before.pop(frame, ({}, {}))
        calls, code = self.calls.pop(frame, []), frame.f_code
        where = frame.f_globals, code.co_name, code.co_filename, line
        for node in statements_in(code.co_filename).get((code.co_name, line), ()):
            made = list(self.made_by(node, frame))
            self.see(Ran(node, before, written, made, calls, *where))
            before = before | {name: value for name, value, _ in made}  # for `a = 1; b = a`
        self.before[frame] = read(frame)

    def made_by(self, node, frame):
        """Yield what a statement made: see Ran."""
        if isinstance(node, ast.Return | ast.Lambda):
            yield "", self.returned, None
        for target, number in targets_of(node):
            try:
                value = eval(target.lookup, frame.f_globals, frame.f_locals)
            except Exception:  # the statement was left before its end
                continue
            yield target.name, value, number


def targets_of(node):
    """Yield the Targets of a statement, each with its number where there are several."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield from ((target, None) for target in called_on(node.value))
    for left in left_of(node):
        is_several = isinstance(left, ast.Tuple | ast.List)
        for number, part in enumerate(left.elts if is_several else [left]):
            yield from ((t, number if is_several else None) for t in targets_in(part, False))


def left_of(node):
    """Return what stands left of the `=` of a statement, where there is one."""
    if isinstance(node, ast.AugAssign | ast.AnnAssign):
        return [node.target]
    return node.targets if isinstance(node, ast.Assign) else []


def read(frame):
    """Return what a frame holds, with copies of what its next statement writes into; and that."""
    held, code = dict(frame.f_locals), frame.f_code
    written: dict[str, Any] = {}
    starts, _ = lines_of(code.co_filename)
    line = starts.get(frame.f_lineno, frame.f_lineno)
    for node in statements_in(code.co_filename).get((code.co_name, line), ()):
        for target in left_of(node):
            if isinstance(node, ast.AugAssign) or isinstance(target, ast.Subscript):
                written |= dict(arrays_in(target, frame))
    return held | {name: value.copy() for name, value in written.items()}, written


def arrays_in(target, frame):
    """Yield the arrays that an assignment to a target writes into, with how they are written."""
    while isinstance(target, ast.Name | ast.Attribute | ast.Subscript):
        value = None
        if is_simple(target):
            with suppress(Exception):  # it is not there yet
                value = eval(ast.unparse(target), frame.f_globals, frame.f_locals)
        if isinstance(value, np.ndarray) and value.size <= COPIED:
            yield ast.unparse(target), value
        if isinstance(target, ast.Name):
            return
        target = target.value


def cell_of(filename):
    """Return what a report calls a file: of what IPython made for a cell, `cell [3]`."""
    shell = None
    with suppress(Exception):  # no IPython, or one that keeps no such table
        shell = sys.modules["IPython"].get_ipython()
        return f"cell [{shell.compile._filename_map[filename]}]"
    return filename
