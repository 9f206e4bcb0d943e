"""Several wrong quantities that one mistake may have made: a helper, or a line in a loop."""

import ast
import linecache
from functools import lru_cache

FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


def notes_on_groups(findings):
    """Say what all quantities that are wrong are computed with, and nothing that is right."""
    linecache.checkcache()  # a file may be another one than when it was last read
    helpers_in.cache_clear()
    wrong = [finding for finding in findings if finding.verdict == "wrong"]
    if len(wrong) < 2 or any(finding.line is None for finding in wrong):
        return []
    names = ", ".join(f"`{finding.name}`" for finding in wrong)
    places = list(dict.fromkeys((finding.line.file, finding.line.number) for finding in wrong))
    if len(places) == 1:
        return [f"{names} are all computed on line {places[0][1]}: look there first."]
    called = {f.name: helpers_on(f.line) for f in findings if f.line is not None}
    shared = [
        helper
        for helper in called[wrong[0].name]
        if all((helper in called[f.name]) == (f in wrong) for f in findings if f.name in called)
    ]
    lines = ", ".join(str(number) for _, number in places)
    return [
        f"{names} (lines {lines}) are all computed with `{name}` (line {number}), and nothing else "
        "that was judged is: look there first."
        for name, number in shared
    ]


def helpers_on(line):
    """Return the user's functions that a line calls, and the line that each is defined on."""
    defined, statements = helpers_in(line.file)
    calls = [
        part.func
        for statement in statements.get(line.number, ())
        for part in ast.walk(statement)
        if isinstance(part, ast.Call)
    ]
    names = [getattr(func, "id", getattr(func, "attr", None)) for func in calls]
    return [(name, defined[name]) for name in dict.fromkeys(names) if name in defined]


@lru_cache(maxsize=16)
def helpers_in(file):
    """Return where a file defines its functions, by name, and its statements by their lines."""
    defined: dict[str, int] = {}
    statements: dict[int, list[ast.stmt]] = {}
    try:
        tree = ast.parse("".join(linecache.getlines(file)))
    except (SyntaxError, ValueError, RecursionError):
        return defined, statements
    for node in ast.walk(tree):
        if isinstance(node, FUNCTIONS):
            defined[node.name] = node.lineno
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
            defined |= {one.id: node.lineno for one in node.targets if isinstance(one, ast.Name)}
        if isinstance(node, ast.stmt) and not hasattr(node, "body"):
            statements.setdefault(node.lineno, []).append(node)
    return defined, statements
