"""The statements of a user's code, each with what it read, what it made and what it called.

A trace function sees each line before it runs; what it reads is kept until it has run. No source
is rewritten, and no function of the user's is called a second time.
"""

import ast
import linecache
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple

import numpy as np

from handgrad.run.noting import Watch, called_on, lines_of, targets_in

PACKAGE = Path(__file__).parents[1]
LIBRARIES = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib")})
COPIED = 2**16  # entries: of a larger array that is written into, what was there before is lost


class Ran(NamedTuple):
    """A statement that has run.

    Attributes:
        node: the statement, or the Lambda whose value was returned.
        before: what its frame held before it, by name.
        copies: the names in `before` of what it writes into: these are copies.
        made: what it made, with the name for it: of `a, b = ...` two, of `return` one, without.
        calls: the code of each user's function that it called, and what that returned, in order.
        names: the globals of its frame.
        function, filename, line: where.
    """

    node: ast.AST
    before: dict[str, Any]
    copies: set[str]
    made: list[tuple[str, Any]]
    calls: list[tuple[CodeType, Any]]
    names: dict[str, Any]
    function: str
    filename: str
    line: int


@contextmanager
def statements(see: Callable[[Ran], None]) -> Iterator[None]:
    """Call `see` on each statement of the user's code that has run, while this is open."""
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
        is_scope = isinstance(node, ast.FunctionDef | ast.ClassDef)
        inner = node.name if is_scope else scope
        waiting += [(child, inner) for child in ast.iter_child_nodes(node)]
    return found


class Statements(Watch):
    """The trace function, and for each frame what is known of the statement that it is at."""

    def __init__(self, see):
        super().__init__(is_theirs, lambda _: None)
        self.see = see
        self.before: dict[FrameType, dict[str, Any]] = {}
        self.calls: dict[FrameType, list[tuple[CodeType, Any]]] = {}
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
            caller = frame.f_back
            if caller in self.at:
                self.calls.setdefault(caller, []).append((frame.f_code, arg))
        return result

    def look(self, frame):
        """See the statement that has run, and keep what the next one reads."""
        line, _ = self.at[frame]
        before, copies = self.before.pop(frame, ({}, set()))
        calls, code = self.calls.pop(frame, []), frame.f_code
        where = frame.f_globals, code.co_name, code.co_filename, line
        for node in statements_in(code.co_filename).get((code.co_name, line), ()):
            made = list(self.made_by(node, frame))
            self.see(Ran(node, before, copies, made, calls, *where))
            before = before | {name: value for name, value in made if name.isidentifier()}
        self.before[frame] = read(frame)

    def made_by(self, node, frame):
        """Yield what a statement made, each with its name."""
        if isinstance(node, ast.Return | ast.Lambda):
            yield "", self.returned
        for target in targets_of(node):
            try:
                yield target.name, eval(target.lookup, frame.f_globals, frame.f_locals)
            except Exception:  # the statement was left before its end
                yield target.name, None


def targets_of(node):
    """Return the Targets of a statement, one for each thing that it makes."""
    if isinstance(node, ast.Expr):
        return list(called_on(node.value)) if isinstance(node.value, ast.Call) else []
    found = []
    for target in left_of(node):
        parts = target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
        found += [next(targets_in(part, False), None) for part in parts]
    return [target for target in found if target is not None]


def left_of(node):
    """Return what stands left of the `=` of a statement, where there is one."""
    return (
        node.targets
        if isinstance(node, ast.Assign)
        else [t for t in [getattr(node, "target", None)] if t]
    )


def read(frame):
    """Return what a frame holds, and the names of what its next statement writes into.

    Of these it holds copies.
    """
    held, copies, code = dict(frame.f_locals), set(), frame.f_code
    starts, _ = lines_of(code.co_filename)
    line = starts.get(frame.f_lineno, frame.f_lineno)
    for node in statements_in(code.co_filename).get((code.co_name, line), ()):
        for target in left_of(node):
            if isinstance(node, ast.Assign) and isinstance(target, ast.Name):
                continue  # a new array
            for name in {part.id for part in ast.walk(target) if isinstance(part, ast.Name)}:
                value = held.get(name)
                if isinstance(value, np.ndarray) and value.size <= COPIED:
                    held[name] = value.copy()
                    copies.add(name)
    return held, copies
