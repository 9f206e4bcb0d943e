"""Where a quantity is computed: the line of a file that assigns it."""

import ast
from pathlib import Path


def assigned(path, names):
    """Return for each of `names` that a Python file assigns where it does so last, as text.

    Such as `{"grad_w2": "manual/two_layer_relu.py:68: grad_w2 = h_relu.T.dot(grad_y_pred)"}`.
    """
    source = Path(path).read_text(encoding="utf-8")
    lines = source.splitlines()
    found: dict[str, int] = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                for part in ast.walk(target):
                    if isinstance(part, ast.Name) and part.id in names:
                        number = max(node.lineno, found.get(part.id, 0))
                        found[part.id] = number
    return {
        name: f"{shown(path)}:{number}: {lines[number - 1].split('  #')[0].strip()}"
        for name, number in found.items()
    }


def shown(path):
    """Return a path as it is shown: from the current folder where it lies below it."""
    path = Path(path).resolve()
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
