"""Updates that compute a weight's gradient on the way: `w += h.T.dot(delta)`, as Trask writes them.

What is added is minus the gradient, and has no name. In a training loop such a line is run as
`step = -(h.T.dot(delta))`: it keeps its number, and is noted as the gradient of the weight.
"""

import ast
import re

from handgrad.load.arrays import bases_of
from handgrad.run.targets import STEP

GOES_BACK = re.compile(r"(?i).*(delta|err|grad|deriv).*")  # what an update is computed from


def step_of(node):
    """Return the weight that a statement of `with_gradients` has the gradient of, or nothing."""
    target = node.targets[0] if isinstance(node, ast.Assign) else None
    name = target.id if isinstance(target, ast.Name) else ""
    return name.removeprefix(STEP) if name.startswith(STEP) else ""


def with_gradients(body):
    """Return the statements of a training loop, with updates that name no gradient as gradients.

    One is left as it is where later statements use the weight: they would use what it was before.
    """
    found = []
    for number, node in enumerate(body):
        is_one = is_unnamed(node) and is_weight(node.target.id, body[:number], body[number + 1 :])
        found.append(as_gradient(node) if is_one else node)
    return found


def has_unnamed(body):
    """Say whether a loop has such updates."""
    return any(step_of(node) for node in with_gradients(body))


def is_unnamed(node):
    """Say whether a statement adds to a name what goes back, under a name that tells of none."""
    if not isinstance(node, ast.AugAssign) or not isinstance(node.op, ast.Add | ast.Sub):
        return False
    if not isinstance(node.target, ast.Name):
        return False
    used = read_in([node.value])
    is_named = any(base == node.target.id for name in used for base in bases_of(name))
    return not is_named and any(map(GOES_BACK.fullmatch, used))


def is_weight(name, before, after):
    """Say whether a pass has computed with a name, and does so no more after it is moved."""
    return name in read_in(before) and name not in read_in(after)


def read_in(nodes):
    """Return the names that are read in these."""
    parts = [part for node in nodes for part in ast.walk(node)]
    return {p.id for p in parts if isinstance(p, ast.Name) and isinstance(p.ctx, ast.Load)}


def as_gradient(update):
    """Return the statement that computes the gradient in an update, without a rate."""
    value = without_rate(update.value)
    if isinstance(update.op, ast.Add):
        value = ast.UnaryOp(ast.USub(), value)
    target = ast.Name(STEP + update.target.id, ast.Store())
    return ast.fix_missing_locations(ast.copy_location(ast.Assign([target], value), update))


def without_rate(value):
    """Return what a rate is multiplied by: of `0.5 * h.T.dot(delta)`, or `rate * (...)`."""
    if not isinstance(value, ast.BinOp) or not isinstance(value.op, ast.Mult):
        return value
    for rate, rest in ((value.left, value.right), (value.right, value.left)):
        if isinstance(rate, ast.Constant) or (isinstance(rate, ast.Name) and is_rate(rate.id)):
            return rest
    return value


def is_rate(name):
    """Say whether a name is that of a learning rate."""
    return re.fullmatch(r"(?i)(learning_?)?rate|(learning_|step_?)?size|alpha|eta|lr", name)
