"""Where a quantity is computed: the lines of a file that assign it."""

import ast
import linecache
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from handgrad import findings
from handgrad.load.execute import source_of


class Line(NamedTuple):
    """A statement of a file: the numbers of its first and last line, and its code."""

    number: int
    last: int
    code: str


def line_of(node, lines):
    """Return a statement as a Line; `lines` are those of its file. Its comments are included."""
    return Line(node.lineno, node.end_lineno, "\n".join(lines[node.lineno - 1 : node.end_lineno]))


def assigns(node):
    """Return the names that a statement computes: of `h[x < 0] = 0` it is h.

    `h1 = values["h1"]` computes nothing: it only takes h1 out of a dict.
    """
    if not isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign) or node.value is None:
        return set()
    taken = {part.value for part in ast.walk(node.value) if isinstance(part, ast.Constant)}
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return {name for target in targets for name in changed_by(target)} - taken


def changed_by(target):
    """Yield the names that an assignment to this target changes."""
    if isinstance(target, ast.Name):
        yield target.id
    elif isinstance(target, ast.Subscript | ast.Starred):
        yield from changed_by(target.value)
    elif isinstance(target, ast.Tuple | ast.List):
        for part in target.elts:
            yield from changed_by(part)


def assignments(path, names):
    """Return for each of `names` the Line of a Python file that computes it, the last such."""
    source = source_of(path)
    lines = source.splitlines()
    found: dict[str, Line] = {}
    for node in ast.walk(ast.parse(source)):
        for name in assigns(node) & set(names):
            line = line_of(node, lines)
            found[name] = max(line, found.get(name, line))
    return found


def lines_of_key(filename, key):
    """Return the numbers of the lines on which a dict is given a value under a key, as written."""
    tree = ast.parse("".join(linecache.getlines(filename)))
    return [
        value.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Dict)
        for name, value in zip(node.keys, node.values, strict=True)
        if isinstance(name, ast.Constant) and name.value == key
    ]


def lines_of(path, names):
    """Return for each of `names` that a Python file computes the Line of a report."""
    where = shown(path)
    return {
        name: findings.Line(where, line.number, first_line(line.code))
        for name, line in assignments(path, names).items()
    }


def noted_line(filename, number):
    """Return a line of a user's file, or of a cell of a notebook, as the Line of a report."""
    where = shown(filename) if Path(filename).is_file() else filename
    return findings.Line(
        where, number, first_line(linecache.getline(filename, number).strip() or "?")
    )


def first_line(code):
    """Return the first line of a statement without the comment at its end."""
    return code.splitlines()[0].split("  #")[0].strip()


def shown(path):
    """Return a path as it is shown: from the current folder where it lies below it."""
    path = Path(path).resolve()
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def with_lines(found, network):
    """Return Findings on a Network with the lines that compute them, where these are known."""
    own = {finding.name: network.names.get(finding.name, finding.name) for finding in found}
    lines = {} if network.path is None else lines_of(network.path, set(own.values()))
    noted = {name: noted_line(*line) for name, line in network.lines.items()}
    return [replace(f, line=noted.get(f.name, lines.get(own[f.name]))) for f in found]
