"""What the statements of a user's file assign and return, by line, as code that looks it up."""

import ast
import linecache
from functools import lru_cache
from types import CodeType
from typing import NamedTuple

SIMPLE_CALLS = ("str", "int", "len", "abs", "min", "max")  # in an index: they change nothing
KEPT_BY = ("append", "appendleft", "extend", "insert")  # methods of lists
STEP = "_step_of_"  # before a weight: what a script of unnamed updates is run with


class Target(NamedTuple):
    """What a statement assigns: its name, and code that looks it up.

    `keys` are the compiled indices of `h[t]`, and `is_partial` says that the statement writes
    into an array that was there before: `h[t] = ...`, `h += ...`. `holder` is the code of the
    object whose attribute it is.
    """

    name: str
    lookup: CodeType
    keys: tuple[CodeType, ...] = ()
    is_partial: bool = False
    is_given: bool = False
    holder: CodeType | None = None


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


@lru_cache(maxsize=64)
def returns_of(filename):
    """Return which parts of what a file's return statements return are computed there, by line."""
    try:
        tree = ast.parse("".join(linecache.getlines(filename)))
    except (SyntaxError, ValueError, RecursionError):
        return {}
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Return):
            parts = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
            found[node.lineno] = tuple(isinstance(p, ast.BinOp | ast.Call) for p in parts)
    return found


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
        yield Target(target.attr, compiled(target), (), is_partial, False, compiled(target.value))
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
    holder = compiled(base.value) if isinstance(base, ast.Attribute) else None
    if indices and is_whole:
        yield Target(name, compiled(target), tuple(indices), True, holder=holder)
    yield Target(name, compiled(base), (), True, holder=holder)


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
