"""A user's code, run again with a statement of it changed: that is how a correction is tried.

Nothing is loaded again, and no file is written. The changed statement is compiled with what it
stands in, and while a trial lasts each function that has it runs the new code.
"""

import ast
import contextlib
import io
import linecache
import signal
import threading
import types
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np


class Place(NamedTuple):
    """A statement in a user's file: what stands in `block[at]`, below the statement `top`.

    `function` is the innermost function around it, or None.
    """

    filename: str
    block: list[ast.stmt]
    at: int
    top: ast.stmt
    function: ast.FunctionDef | None

    @property
    def node(self) -> ast.stmt:
        """The statement itself."""
        return self.block[self.at]


@dataclass(eq=False)
class Code:
    """A user's code as it was loaded.

    Attributes:
        namespaces: the globals of the user's modules.
        is_theirs: says of a file's name whether it is the user's.
        body: the statements of a script's pass, and the files that they are in.
        codes: what is run for each of these.
    """

    namespaces: Sequence[dict[str, Any]]
    is_theirs: Callable[[str], bool]
    body: Sequence[tuple[ast.stmt, str]] = ()
    codes: list[types.CodeType] = field(default_factory=list)
    trees: dict[str, ast.Module] = field(default_factory=dict)

    def files(self) -> list[str]:
        """Return the names of the files that the code is in."""
        found = [filename for _, filename in self.body]
        found += [function.__code__.co_filename for function in self.functions]
        return [name for name in dict.fromkeys(found) if self.is_theirs(name)]

    def tree(self, filename: str) -> ast.Module:
        """Return the syntax tree of a file; it is the same one at each call."""
        if filename not in self.trees:
            try:
                self.trees[filename] = ast.parse(source_of(filename))
            except (SyntaxError, ValueError, RecursionError):
                self.trees[filename] = ast.Module([], [])
        return self.trees[filename]

    def places(self, filename: str) -> Iterator[Place]:
        """Yield the statements of a file that stand in its functions, or in a script's pass."""
        body = [node for node, name in self.body if name == filename]
        for top in self.tree(filename).body:
            for place in places_in(filename, [top], top, None):
                if place.function is not None or any(contains(one, place.node) for one in body):
                    yield place

    @cached_property
    def functions(self) -> list[types.FunctionType]:
        """The functions and methods that the user's modules define."""
        return list(functions_in(self.namespaces, self.is_theirs))

    @contextmanager
    def changed(self, place: Place, statements: Sequence[ast.stmt]) -> Iterator[None]:
        """Run these statements in the place of another one, while this is open.

        Raises SyntaxError and the like where they do not compile.
        """
        old, place.block[place.at : place.at + 1] = place.node, statements
        try:
            functions = list(self.compiled_functions(place))
            numbers = list(self.compiled_body(place, old, statements))
        finally:
            place.block[place.at : place.at + len(statements)] = [old]
        before = [(function, function.__code__) for function, _ in functions]
        kept = list(self.codes)
        try:
            for function, code in functions:
                function.__code__ = code
            for number, code in numbers:
                self.codes[number] = code
            yield
        finally:
            self.codes[:] = kept
            for function, code in before:
                function.__code__ = code

    def compiled_functions(self, place):
        """Yield the functions around a place with their code compiled anew."""
        if place.function is None:
            return
        new = {(c.co_name, c.co_firstlineno): c for c in codes_in(compiled([place.top], place))}
        for function in self.functions:
            old = function.__code__
            code = new.get((old.co_name, old.co_firstlineno))
            if old.co_filename != place.filename or code is None:
                continue
            if code.co_freevars == old.co_freevars:
                yield function, code

    def compiled_body(self, place, old, statements):
        """Yield the numbers of a script's statements around a place, with their code."""
        if place.function is not None:
            return
        for number, (node, filename) in enumerate(self.body):
            if filename == place.filename and contains(node, old):
                is_itself = (node.lineno, node.col_offset) == (old.lineno, old.col_offset)
                own = [one for one in ast.walk(place.top) if is_same_place(one, node)]
                yield number, compiled(statements if is_itself else own[:1], place)


def functions_in(namespaces, is_theirs) -> Iterator[types.FunctionType]:
    """Yield the user's functions and methods in namespaces, and those that others wrap."""
    for namespace in namespaces:
        for value in list(namespace.values()):
            for one in vars(value).values() if isinstance(value, type) else [value]:
                function = getattr(one, "__func__", getattr(one, "fget", one))
                while isinstance(function, types.FunctionType):
                    if is_theirs(function.__code__.co_filename):
                        yield function
                    function = getattr(function, "__wrapped__", None)


@contextmanager
def silence() -> Iterator[None]:
    """Show nothing of what a user's code prints and warns of, while this is open."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        stack.enter_context(contextlib.redirect_stderr(io.StringIO()))
        stack.enter_context(warnings.catch_warnings())
        stack.enter_context(np.errstate(all="ignore"))
        warnings.simplefilter("ignore")
        yield


class TooLong(BaseException):
    """A run of edited code takes longer than it may: a loop of it may not end."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raise TooLong where what is run takes more than so many seconds of computing.

    That takes a timer of the system's, and the main thread; elsewhere nothing is done.
    """
    can = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
    if not can:
        yield
        return

    def end(*_):
        raise TooLong

    before = signal.signal(signal.SIGVTALRM, end)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def source_of(filename):
    """Return the source of a file, or of a cell, as Python shows it in a traceback."""
    return "".join(linecache.getlines(filename))


def places_in(filename, block, top, function) -> Iterator[Place]:
    """Yield the statements of a block, and of the blocks in them, outer ones first."""
    for at, node in enumerate(block):
        yield Place(filename, block, at, top, function)
        inner = node if isinstance(node, ast.FunctionDef) else function
        parts = [getattr(node, name, []) for name in ("body", "orelse", "finalbody")]
        parts += [handler.body for handler in getattr(node, "handlers", [])]
        for part in parts:
            yield from places_in(filename, part, top, inner)


def contains(outer, inner):
    """Say whether a statement lies in another one, or is it; both are of one file."""
    first, last = (outer.lineno, outer.col_offset), (outer.end_lineno, outer.end_col_offset)
    return first <= (inner.lineno, inner.col_offset) and (
        (inner.end_lineno, inner.end_col_offset) <= last
    )


def is_same_place(node, other):
    """Say whether a node is the same statement in another syntax tree of the same file."""
    return (
        type(node) is type(other)
        and (node.lineno, node.col_offset) == (other.lineno, other.col_offset)
        and node.end_lineno == other.end_lineno
    )


def compiled(statements, place):
    """Compile statements of the file of a place."""
    module = ast.Module(list(statements), [])
    return compile(module, place.filename, "exec", dont_inherit=True)


def codes_in(code) -> Iterator[types.CodeType]:
    """Yield a code object, and those of the functions in it."""
    yield code
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            yield from codes_in(inner)
