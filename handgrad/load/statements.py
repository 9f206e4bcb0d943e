"""The statements of a script or a notebook, read and not run: where each pass begins and ends.

A pass is what computes with the weights, up to where they are moved. A loop that moves them is a
training loop: its statements are read as if they stood there once.
"""

import ast
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from handgrad.load.arrays import bases_of, same
from handgrad.load.lines import assigns, changed_by
from handgrad.load.main_function import opened
from handgrad.load.weight_steps import has_unnamed, step_of, with_gradients

SHOWS = ("print", "plot", "show", "imshow", "figure")  # calls that only show something
SHAPES = ("shape", "ndim", "size", "dtype")  # what is asked of an array that is not computed with
GRADIENT = re.compile(r"(?i)grad|delta|backward|backprop")
BACKWARD = {"backward", "backprop", "append"}  # what is called in a loop back through the steps
HOLDER = re.compile(r"(?i)\w*grad(ient)?s|dparams")  # of the gradients of all weights
PASSES = {"backward", "backprop", "step", "zero_grad", "update"}  # methods of a training step


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


def has_module(source):
    """Say whether a source makes a module of PyTorch, which a notebook's variables are held to."""
    found = re.search(r"\bnn\.\w|\((nn\.)?Module\)|import (\w+, )*(Module|Sequential)\b", source)
    return found is not None


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
        steps = {step_of(one.node) for one in self.statements} - {""}
        return steps.union(*(moved(one.node) for one in self.statements))

    @property
    def start(self):
        """Where the pass may begin: after the weights that are moved have been assigned."""
        before = enumerate(self.statements[: self.end], 1)
        return max((number for number, one in before if one.assigned & self.moved), default=0)

    @property
    def end(self):
        """Where the pass ends: before its last updates, and what comes after them."""
        updates = [n for n, one in enumerate(self.statements) if is_update(one.node)]
        steps = [n for n, one in enumerate(self.statements, 1) if step_of(one.node)]
        if steps and not updates:
            return steps[-1]
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
        yield from changed_by(node.target)


def moved(node):
    """Return the weights that a statement moves along their gradient: of `w -= rate * dw` it is w.

    It is told by its names: that of the gradient is that of the weight, or `params[key]` is moved
    along `grads[key]`.
    """
    target: ast.expr
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add | ast.Sub):
        target, value = node.target, node.value
    elif isinstance(node, ast.Assign) and isinstance(node.value, ast.BinOp):
        target, value = node.targets[0], node.value
    else:
        return set()
    if isinstance(target, ast.Subscript) and is_entry_of_grads(target, value):
        return set(changed_by(target))
    used = {part.id for part in ast.walk(value) if isinstance(part, ast.Name)}
    known = {base for name in used for base in bases_of(name)}
    return {name for name in changed_by(target) if any(same(base, name) for base in known)}


def is_entry_of_grads(target, value):
    """Say whether an entry is moved along that of the same key in what is called grads."""
    if any(bases_of(name) or HOLDER.fullmatch(name) for name in changed_by(target)):
        return False  # a gradient itself
    entries = [part for part in ast.walk(value) if isinstance(part, ast.Subscript)]
    same_key = [one.value for one in entries if ast.dump(one.slice) == ast.dump(target.slice)]
    return any(HOLDER.fullmatch(getattr(o, "id", getattr(o, "attr", ""))) for o in same_key)


def is_update(node):
    """Say whether a statement moves weights, or loops over them and does."""
    if isinstance(node, ast.For):
        of_all = set().union(*(moved(part) for part in ast.walk(node)))
        return bool(of_all & set(changed_by(node.target))) or all(map(is_update, node.body))
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
    has_pass = bool(calls & PASSES) and not goes_back(inner)
    has_update = any(is_update(part) for part in inner) or has_unnamed(node.body)
    return bool(both or has_pass or has_update)


def goes_back(inner):
    """Say whether a loop calls nothing but the backward pass of each step: `cell.backward(dh)`."""
    calls = [part.func for part in inner if isinstance(part, ast.Call)]
    return all(getattr(one, "attr", getattr(one, "id", "")) in BACKWARD for one in calls)


def segments_of(statements) -> Iterator[Segment]:
    """Yield a script's statements in parts with one pass each: weights moved, and on it goes."""
    segment = Segment([])
    for one in opened_loops(statements):
        is_moved = any(is_update(s.node) or step_of(s.node) for s in segment.statements)
        if is_moved and not is_update(one.node) and not step_of(one.node):
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
        if is_update(one.node) or step_of(one.node):
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
        body = with_gradients(node.body)
        yield from opened_loops([Statement(inner, one.filename) for inner in body])


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


def made_anew(body):
    """Return the names that statements assign before they read them: what was there is no data."""
    read: set[str] = set()
    found: set[str] = set()
    for one in body:
        read |= one.used - found
        targets = one.node.targets if isinstance(one.node, ast.Assign) else []
        found |= {target.id for target in targets if isinstance(target, ast.Name)} - read
    return found


def computed_first(body):
    """Return the names that statements assign, also within loops, before they use them."""
    found: set[str] = set()
    used: set[str] = set()
    for one in body:
        used |= one.used - found
        found |= one.assigned - used
    return found


def title_of(body):
    """Return what a report calls a pass: its cells, or its lines."""
    first, last = body[0], body[-1]
    if "[" not in first.filename:
        return f"lines {first.node.lineno}-{last.node.end_lineno}"
    cells = [one.filename.rpartition("[")[2].rstrip("]") for one in (first, last)]
    return f"cell {cells[0]}" if cells[0] == cells[1] else f"cells {cells[0]}-{cells[1]}"
