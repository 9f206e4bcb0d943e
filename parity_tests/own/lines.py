"""Where a quantity is computed: the line of a file that assigns it."""

import ast
from pathlib import Path
from typing import NamedTuple


class Line(NamedTuple):
    """A statement of a file: the number of its first line, and its code, comment included."""

    number: int
    code: str


def assignments(path, names):
    """Return for each of `names` the Line of a Python file that computes it, the last such.

    `h1 = values["h1"]` computes nothing: it only takes h1 out of a dict.
    """
    source = Path(path).read_text(encoding="utf-8")
    lines = source.splitlines()
    found: dict[str, Line] = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign) and node.value is not None:
            taken = {part.value for part in ast.walk(node.value) if isinstance(part, ast.Constant)}
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for part in (part for target in targets for part in ast.walk(target)):
                if isinstance(part, ast.Name) and part.id in names and part.id not in taken:
                    line = Line(node.lineno, "\n".join(lines[node.lineno - 1 : node.end_lineno]))
                    found[part.id] = max(line, found.get(part.id, line))
    return found


def assigned(path, names):
    """Return for each of `names` that a Python file computes where it does so, as text.

    Such as `{"grad_w2": "manual/two_layer_relu.py:68: grad_w2 = h_relu.T.dot(grad_y_pred)"}`.
    """
    return {
        name: f"{shown(path)}:{line.number}: {line.code.splitlines()[0].split('  #')[0].strip()}"
        for name, line in assignments(path, names).items()
    }


def shown(path):
    """Return a path as it is shown: from the current folder where it lies below it."""
    path = Path(path).resolve()
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
