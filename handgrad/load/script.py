"""A script or a notebook as it stands: its passes, each of which an update of the weights ends.

Statements are run one by one, a training loop once. What computes with the weights, from after
these and the data are there up to where the weights are moved, is a pass: it is run again on other
numbers, as a function would be, and judged. What comes after the last pass is not run.
"""

import ast
import copy
import dis
import re
import types
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from handgrad.load.arrays import bases_of, same
from handgrad.load.lines import assigns, bases
from handgrad.load.main_function import opened
from handgrad.load.nested import floats_in, is_tensor
from handgrad.load.programme import State
from handgrad.run.hand_written import failure
from handgrad.run.own_forward import Programme

SHOWS = ("print", "plot", "show", "imshow", "figure")  # calls that only show something
SHAPES = ("shape", "ndim", "size", "dtype")  # what is asked of an array that is not computed with
GLOBALS = ("LOAD_GLOBAL", "LOAD_NAME")
GRADIENT = re.compile(r"(?i)grad|delta|backward|backprop")
PASSES = {"backward", "backprop", "step", "zero_grad", "update"}  # methods of a training step


class Statement(NamedTuple):
    """A statement, and the file, or the cell of a notebook, that it is in."""

    node: ast.stmt
    filename: str

    @property
    def assigned(self):
        """The names that it assigns or writes into, also inside of it."""
        return {name for node in ast.walk(self.node) for name in (*assigns(node), *looped(node))}

    @property
    def used(self):
        """The names that it computes with: those whose shape is asked are none."""
        asked = {
            part.value
            for part in ast.walk(self.node)
            if isinstance(part, ast.Attribute) and part.attr in SHAPES
        } | {
            argument
            for part in ast.walk(self.node)
            if isinstance(part, ast.Call) and getattr(part.func, "id", "") == "len"
            for argument in part.args
        }
        parts = list(ast.walk(self.node))
        names = [part for part in parts if isinstance(part, ast.Name) and part not in asked]
        changed = [part.target for part in parts if isinstance(part, ast.AugAssign)]
        return {n.id for n in names if n in changed or not isinstance(n.ctx, ast.Store)}


class Segment(NamedTuple):
    """The statements of a script with one pass among them, and which of them move weights."""

    statements: list[Statement]

    @property
    def moved(self):
        """The names of the weights that are moved, where they are known."""
        return {name for one in self.statements for name in moved(one.node)}

    @property
    def end(self):
        """Where the pass ends: before its last updates, and what comes after them."""
        updates = [n for n, one in enumerate(self.statements) if is_update(one.node)]
        end = updates[-1] if updates else len(self.statements)
        while end - 1 in updates:
            end -= 1
        return end


def statements_of(sources):
    """Return the statements of a file, or of the cells of a notebook: pairs of name and source."""
    return [
        Statement(node, filename)
        for filename, source in sources
        for node in opened(ast.parse(source, filename).body)
    ]


def looped(node):
    """Yield the names of a loop's own variables."""
    if isinstance(node, ast.For):
        yield from bases(node.target)


def moved(node):
    """Return the weights that a statement moves along their gradient: of `w -= rate * dw` it is w.

    It is told by its names: that of the gradient is that of the weight.
    """
    target: ast.expr
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add | ast.Sub):
        target, value = node.target, node.value
    elif isinstance(node, ast.Assign) and isinstance(node.value, ast.BinOp):
        target, value = node.targets[0], node.value
    else:
        return set()
    used = {part.id for part in ast.walk(value) if isinstance(part, ast.Name)}
    known = {base for name in used for base in bases_of(name)}
    return {name for name in bases(target) if any(same(base, name) for base in known)}


def is_update(node):
    """Say whether a statement moves weights, or loops over them and does."""
    if isinstance(node, ast.For):
        of_all = set().union(*(moved(part) for part in ast.walk(node)))
        return bool(of_all & set(bases(node.target)))
    return bool(moved(node))


def is_training(node):
    """Say whether a statement is a training loop: each time round has passes of its own."""
    if not isinstance(node, ast.For | ast.While) or is_update(node):
        return False
    inner = [part for statement in node.body for part in ast.walk(statement)]
    own = set(looped(node))  # `for layer in reversed(layers): grad = layer.backward(grad)`
    calls = {
        part.func.attr
        for part in inner
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute)
        if own.isdisjoint(getattr(name, "id", None) for name in ast.walk(part.func.value))
    }
    assigned = {name for part in inner for name in assigns(part)}
    both = {base for name in assigned for base in bases_of(name)} & assigned
    return bool(both or calls & PASSES or any(is_update(part) for part in inner))


def segments_of(statements) -> Iterator[Segment]:
    """Yield a script's statements in parts with one pass each: weights moved, and on it goes."""
    segment = Segment([])
    for one in opened_loops(statements):
        is_moved = any(is_update(s.node) for s in segment.statements)
        if is_moved and not is_update(one.node):
            again = segment.moved | given_before_update(segment)
            if one.assigned & again:
                yield segment
                segment = Segment([])
        segment.statements.append(one)
    yield segment


def given_before_update(segment):
    """Return what the statements of a pass assign before its first update, but for gradients."""
    found: set[str] = set()
    for one in segment.statements:
        if is_update(one.node):
            break
        found |= one.assigned
    return {name for name in found if not any(base in found for base in bases_of(name))}


def opened_loops(statements) -> Iterator[Statement]:
    """Yield statements in order, those of a training loop once: its first time round."""
    for one in statements:
        node = one.node
        if not is_training(node):
            yield one
            continue
        if isinstance(node, ast.For):
            yield Statement(first_round(node), one.filename)
        yield from opened_loops([Statement(inner, one.filename) for inner in node.body])


def first_round(loop):
    """Return the statement that gives a loop's own variables what they have the first time."""
    first: Any = ast.parse("_ = next(iter(_))").body[0]
    first.targets, first.value.args[0].args[0] = [loop.target], loop.iter
    return ast.fix_missing_locations(ast.copy_location(first, loop))


def looks_like_one(statements):
    """Say whether anything in a script looks like a derivation: a gradient, by its name."""
    known: set[Any] = set()
    for one in statements:
        for part in ast.walk(one.node):
            known |= {getattr(part, key, None) for key in ("id", "attr", "arg", "name", "value")}
    names = {name for name in known if isinstance(name, str)}
    return any(map(GRADIENT.search, names)) or any(
        same(base, other) for name in names for base in bases_of(name) for other in names
    )


def is_aside(node):
    """Say whether a statement only shows something: `print(loss)`, a figure, a bare name."""
    if isinstance(node, ast.If | ast.For | ast.With):
        return all(is_aside(inner) for inner in node.body)
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Call):
        return isinstance(node, ast.Expr | ast.Pass | ast.Assert)
    function = node.value.func
    return getattr(function, "id", getattr(function, "attr", "")) in SHOWS


def started(segment, namespace, where):
    """Run what comes before the pass of a segment; return the statements of the pass, and the rest.

    It begins where the weights are there, those that are moved after it or have a gradient, or
    where something is computed with arrays.
    """
    statements, start = segment.statements, 0
    for number, one in enumerate(statements[: segment.end]):
        if one.assigned & segment.moved:
            start = number + 1
    for one in statements[:start]:
        run(one, namespace, where)
    while start < segment.end and not computes(statements[start], namespace):
        run(statements[start], namespace, where)
        start += 1
    late = 0 if segment.moved else last_leaf(statements[start : segment.end], namespace, where)
    for one in statements[start : start + late]:
        run(one, namespace, where)
    start += late
    body = [one for one in statements[start : segment.end] if not is_aside(one.node)]
    return body, statements[start:]


def computes(one, namespace):
    """Say whether a statement computes with arrays that there are."""
    if isinstance(one.node, ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom):
        return False
    return bool(floats_in({name: namespace[name] for name in needed([one], namespace)}))


def last_leaf(statements, namespace, where):
    """Return how many statements there are up to the last that draws an array with a gradient.

    They are run to find out, and what they do is undone.
    """
    assigned = {name for one in statements for name in one.assigned}
    wanted = {base for name in assigned for base in bases_of(name)} & assigned
    scratch = dict(namespace)
    memo: dict[int, Any] = {}
    scratch.update({n: copied(namespace[n], memo) for n in needed(statements, namespace)})
    drawn: dict[str, int] = {}
    for number, one in enumerate(statements):
        is_drawn = not computes(one, scratch)
        for name in one.assigned & wanted:
            if is_drawn:
                drawn.setdefault(name, number + 1)
            else:
                drawn[name] = 0  # a buffer that is filled
        if all(drawn.get(name) == 0 for name in wanted):
            break
        run(one, scratch, where)
    return max(drawn.values(), default=0)


def given_in(body, namespace):
    """Return the names that a pass assigns without computing with arrays: `dout`, drawn at random.

    Such a gradient is what comes from the next layer, and nothing to judge.
    """
    computed: set[str] = set()
    given: set[str] = set()
    for one in body:
        if one.used & computed or computes(one, namespace):
            computed |= one.assigned
        else:
            given |= one.assigned
    return given - computed


def title_of(body):
    """Return the cells or the lines of a pass."""
    first, last = body[0], body[-1]
    if "[" not in first.filename:
        return f"lines {first.node.lineno}-{last.node.end_lineno}"
    cells = [one.filename.rpartition("[")[2].rstrip("]") for one in (first, last)]
    return f"cell {cells[0]}" if cells[0] == cells[1] else f"cells {cells[0]}-{cells[1]}"


def programme_of(body, namespace, is_theirs, namespaces, where):
    """Return the Programme of the statements of a pass, and the arrays that go in, by name.

    The arrays are those that the namespace holds now, and the objects in it, as far as the pass
    uses them.
    """
    codes = [compiled(statement) for statement in body]
    values = {name: namespace[name] for name in needed(body, namespace)}
    values |= weights_as_arrays(values, body)
    leaves, state = floats_in(values), State(namespaces)
    held: dict[str, Any] = {}

    def forward(arrays, x, _):
        state.put_back()
        before = dict(namespace)
        given = {**arrays, **x}
        memo = {id(leaf): own_copy(given[name]) for name, leaf in leaves.items()}
        held.clear()
        held.update({name: copied(value, memo) for name, value in values.items()})
        namespace.update(held)
        try:
            for code in codes:
                exec(code, namespace)
        finally:  # the statements are run again, on arrays of their own
            namespace.clear()
            namespace.update(before)

    programme = Programme(forward, None, is_theirs, namespaces, where, held=lambda: held)
    return replace(programme, given=frozenset(given_in(body, namespace))), leaves


def weights_as_arrays(values, body):
    """Return the numbers that a pass has a gradient of as arrays: `b = 0.0`, where it has `db`."""
    based = {base for one in body for name in one.assigned for base in bases_of(name)}
    return {
        name: np.array(value, np.float64)
        for name, value in values.items()
        if name in based and isinstance(value, int | float) and not isinstance(value, bool)
    }


def own_copy(array):
    """Return a copy of an array; a traced one, which is this run's alone, as it is."""
    return array if is_tensor(array) else np.array(array)


def needed(body, namespace):
    """Return the names of the data that statements use, and the functions that they call."""
    anew = made_anew(body)
    waiting = [name for one in body for name in sorted(one.used - anew)]
    found: dict[str, None] = {}
    while waiting:
        name = waiting.pop()
        if name in found or name not in namespace:
            continue
        found[name] = None
        waiting += names_in(namespace[name])
    kinds = types.ModuleType | types.FunctionType | types.BuiltinFunctionType | type | np.ufunc
    return [name for name in found if not isinstance(namespace[name], kinds)]


def made_anew(body):
    """Return the names that statements assign before they read them: what was there is no data."""
    read: set[str] = set()
    found: set[str] = set()
    for one in body:
        read |= one.used - found
        targets = one.node.targets if isinstance(one.node, ast.Assign) else []
        found |= {target.id for target in targets if isinstance(target, ast.Name)} - read
    return found


def names_in(value):
    """Return the global names that a user's function, or the methods of a class, use."""
    if isinstance(value, types.FunctionType):
        return list(names_in_code(value.__code__))
    of_class = value if isinstance(value, type) else type(value)
    functions = [f for c in of_class.__mro__ for f in vars(c).values()]
    plain = [getattr(f, "__func__", f) for f in functions]
    codes = [f.__code__ for f in plain if isinstance(f, types.FunctionType)]
    return [name for code in codes for name in names_in_code(code)]


def names_in_code(code):
    """Yield the global names in a code object, and in those in it; attributes are none."""
    loads = (one for one in dis.get_instructions(code) if one.opname in GLOBALS)
    yield from (one.argval for one in loads)
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            yield from names_in_code(inner)


def copied(value: Any, memo: dict[int, Any]) -> Any:
    """Return a copy of a value, with arrays by their ids in `memo` in place of those in it."""
    try:
        return copy.deepcopy(value, memo)
    except Exception:  # a file, a lock: it is no number
        return value


def compiled(statement):
    """Compile one statement, with the numbers of its lines."""
    return compile(ast.Module([statement.node], []), statement.filename, "exec")


def run(statement, namespace, where):
    """Run a statement in a namespace; raise InputError, naming the line, where it fails."""
    try:
        exec(compiled(statement), namespace)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise failure(where, error, statement.filename) from None


def is_script(source):
    """Say whether a source is a script, and no file with `forward`, `backward` and data for them.

    Those functions are called with what `init` or `params`, `x` and `y` give; a `reference` is
    asked for what is in a notebook with PyTorch.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False  # whoever runs it says so
    defined = {n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    assigned = {name for node in tree.body for name in assigns(node)} | defined
    if "reference" in assigned:
        return False
    has_passes = {"forward", "backward"} <= assigned
    return not (has_passes and ("init" in assigned or {"params", "x"} <= assigned))
