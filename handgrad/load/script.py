"""A script or a notebook as it stands: its passes, each of which an update of the weights ends.

Statements are run one by one, a training loop once. What computes the loss and the gradients,
from after the weights and the data up to where the weights are moved, is a pass: it is run again
on other numbers, as a function would be, and judged. What comes after the last pass is not run.
"""

import ast
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from handgrad.errors import InputError
from handgrad.load.lines import assigns, bases
from handgrad.load.names import X_NAMES, Y_NAMES
from handgrad.load.pairing import bases_of, same
from handgrad.load.programme import State
from handgrad.run.hand_written import failure
from handgrad.run.own_forward import Programme

DATA = (*X_NAMES, *Y_NAMES)
PASSES = {"forward", "backward"}  # what functions that are passes are called


class Statement(NamedTuple):
    """A statement, and the file, or the cell of a notebook, that it is in."""

    node: ast.stmt
    filename: str

    @property
    def assigned(self):
        """The names that it assigns or writes into, also inside of it."""
        return {name for node in ast.walk(self.node) for name in (*assigns(node), *looped(node))}


def looped(node):
    """Yield the names of a loop's own variables."""
    if isinstance(node, ast.For):
        yield from bases(node.target)


class Pass(NamedTuple):
    """A pass: what runs before it, its statements, and the weights that are moved after it."""

    before: list[Statement]
    body: list[Statement]
    params: list[str]

    @property
    def title(self):
        """The cells or the lines of the pass."""
        first, last = self.body[0], self.body[-1]
        if "[" not in first.filename:
            return f"lines {first.node.lineno}-{last.node.end_lineno}"
        cells = [s.filename.rpartition("[")[2].rstrip("]") for s in (first, last)]
        return f"cell {cells[0]}" if cells[0] == cells[1] else f"cells {cells[0]}-{cells[1]}"


def statements_of(sources):
    """Return the statements of a file, or of the cells of a notebook: pairs of name and source."""
    found = []
    for filename, source in sources:
        try:
            tree = ast.parse(source, filename)
        except SyntaxError as error:
            raise InputError(
                f"{filename}, line {error.lineno}: {error.msg}; it is not Python."
            ) from None
        found += [Statement(node, filename) for node in tree.body]
    return found


def moved(node):
    """Return the weights that a statement moves along their gradient: of `w -= rate * dw` it is w.

    It is told by its names: that of the gradient is that of the weight.
    """
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add | ast.Sub):
        target, value = node.target, node.value
    elif isinstance(node, ast.Assign) and isinstance(node.value, ast.BinOp):
        target, value = node.targets[0], node.value
    else:
        return set()
    names = set(bases(target))
    used = {part.id for part in ast.walk(value) if isinstance(part, ast.Name)}
    known = {base for name in used for base in bases_of(name)}
    return {name for name in names if any(same(base, name) for base in known)}


def looks_like_one(statements):
    """Say whether anything in a script looks like a derivation: a gradient, by its name."""
    names = set().union(*(s.assigned for s in statements)) if statements else set()
    return any(same(base, other) for name in names for base in bases_of(name) for other in names)


def passes_of(statements):
    """Return the passes of a script in order."""
    found: list[Pass] = []
    waiting: list[Statement] = []  # to be run before the next pass
    for segment in segments_of(statements):
        updates = [number for number, one in enumerate(segment) if moved(one.node)]
        params = list(dict.fromkeys(n for at in updates for n in sorted(moved(segment[at].node))))
        params = params or leaves_of(segment)
        start, end = start_of(segment, params, updates), end_of(segment)
        body = [one for one in segment[start:end] if not is_aside(one.node)]
        if body and params and looks_like_one(segment):
            found.append(Pass(waiting + segment[:start], body, params))
            waiting = segment[start:]
        else:
            waiting = waiting + segment
    return found


def start_of(segment, params, updates):
    """Return where in a segment the pass begins: after the weights and the data are there."""
    start, computed = 0, set(params)
    for number, one in enumerate(segment[: updates[0] if updates else None]):
        used = {part.id for part in ast.walk(one.node) if isinstance(part, ast.Name)}
        is_computed = bool((used - one.assigned) & computed)
        if one.assigned.intersection(params):
            start, computed = number + 1, set(params)
        elif is_computed:
            computed |= one.assigned
        elif one.assigned.intersection(DATA):
            start = number + 1
    return start


def end_of(segment):
    """Return where in a segment the pass ends: after the last line that computes a gradient."""
    names = set().union(*(one.assigned for one in segment))
    ends = [
        number + 1
        for number, one in enumerate(segment)
        if not moved(one.node)
        if any(same(base, n) for name in one.assigned for base in bases_of(name) for n in names)
    ]
    return max(ends, default=0)


def segments_of(statements) -> Iterator[list[Statement]]:
    """Yield a script's statements in parts with one pass each: weights moved, and on it goes."""
    segment: list[Statement] = []
    for one in opened_loops(statements):
        params = set().union(*(moved(s.node) for s in segment)) if segment else set()
        if params and not moved(one.node):
            if one.assigned & (params | given_before_update(segment)):
                yield segment
                segment = []
        segment.append(one)
    yield segment


def opened_loops(statements) -> Iterator[Statement]:
    """Yield statements in order, those of a training loop once: its first time round."""
    for one in statements:
        node = one.node
        if not isinstance(node, ast.For | ast.While) or not any(map(moved, ast.walk(node))):
            yield one
            continue
        if isinstance(node, ast.For):
            first = ast.parse("_ = next(iter(_))").body[0]
            first.targets, first.value.args[0].args[0] = [node.target], node.iter
            yield Statement(ast.fix_missing_locations(ast.copy_location(first, node)), one.filename)
        yield from opened_loops([Statement(inner, one.filename) for inner in node.body])


def given_before_update(segment):
    """Return what the statements of a pass assign before its first update, but for gradients."""
    found: set[str] = set()
    for one in segment:
        if moved(one.node):
            break
        found |= one.assigned
    return {name for name in found if not any(base in found for base in bases_of(name))}


def is_aside(node):
    """Say whether a statement only shows something: `print(loss)`, a figure, a bare name."""
    return isinstance(node, ast.Expr) and (
        not isinstance(node.value, ast.Call) or getattr(node.value.func, "id", "") == "print"
    )


def leaves_of(segment):
    """Return the names that have a gradient and are computed from no other such name."""
    names = set().union(*(one.assigned for one in segment))
    with_gradient = {
        other for n in names for base in bases_of(n) for other in names if same(base, other)
    }
    found: list[str] = []
    computed: set[str] = set()
    for one in segment:
        used = {part.id for part in ast.walk(one.node) if isinstance(part, ast.Name)}
        if (used - one.assigned) & {*found, *computed}:
            computed |= one.assigned
        else:
            found += [name for name in sorted(one.assigned & with_gradient) if name not in found]
    return [name for name in found if name not in computed and name not in DATA]


def programme_of(one, namespace, where):
    """Return the Programme of a Pass, its parameters, x and y, as they are in a namespace now."""
    params = {name: np.array(namespace[name]) for name in one.params}
    codes = [compiled(statement) for statement in one.body]
    state, names = State([namespace]), used_in(one.body)
    given = {n: v.copy() for n, v in namespace.items() if isinstance(v, np.ndarray)}
    x = next((name for name in X_NAMES if name in given and name in names), None)
    y = next((name for name in Y_NAMES if name in given and name in names), None)

    def forward(flat, x_now, y_now):
        state.put_back()
        before = dict(namespace)
        namespace.update({name: array.copy() for name, array in (given | flat).items()})
        namespace.update({x: x_now} if x else {})
        namespace.update({y: y_now} if y else {})
        try:
            for code in codes:
                exec(code, namespace)
        finally:  # the statements are run again, on arrays of their own
            namespace.clear()
            namespace.update(before)

    files = {statement.filename for statement in one.body}
    programme = Programme(forward, None, files.__contains__, [namespace], where)
    none = np.zeros(1)
    return programme, params, given.get(x, none), given.get(y, none)


def used_in(body):
    """Return the names that statements use."""
    return {p.id for one in body for p in ast.walk(one.node) if isinstance(p, ast.Name)}


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
    """Say whether a source is a script: without functions that are passes, and without PyTorch."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False  # whoever runs it says so
    defined = {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    assigned = {name for node in tree.body for name in assigns(node)}
    imported = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    imported |= {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    uses_torch = any(name.partition(".")[0] == "torch" for name in imported)
    return not (defined & PASSES or "reference" in assigned | defined or uses_torch)
