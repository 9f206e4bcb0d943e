"""A script that keeps all in `main()`, or below `if __name__ == "__main__":`, as if it did not.

What stands in there is statements like others, which can be run one by one, and judged.
"""

import ast
from collections.abc import Iterator


def opened(nodes: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield a script's statements, with those of its main block and function in their places."""
    functions = {node.name: node for node in nodes if isinstance(node, ast.FunctionDef)}
    for node in nodes:
        yield from inside(node, functions) if is_main_block(node) else body_of(node, functions)


def inside(node, functions):
    """Yield the statements of a main block."""
    for inner in node.body:
        yield from body_of(inner, functions)


def is_main_block(node):
    """Say whether a statement is `if __name__ == "__main__":`, with nothing else to do."""
    return (
        isinstance(node, ast.If)
        and not node.orelse
        and ast.unparse(node.test) == "__name__ == '__main__'"
    )


def body_of(node, functions):
    """Yield the statements of a function that is called as `main()`; any other statement as it is.

    A function that returns before its end, or yields, or says which names are not its own, has to
    stay one.
    """
    call = node.value if isinstance(node, ast.Expr) else None
    is_plain = isinstance(call, ast.Call) and not (call.args or call.keywords)
    called = getattr(call, "func", None) if is_plain else None
    function = functions.get(getattr(called, "id", ""))
    if function is None or function.decorator_list or arguments_of(function):
        yield node
        return
    *body, last = function.body
    body = body if isinstance(last, ast.Return) else function.body
    kinds = ast.Return | ast.Yield | ast.YieldFrom | ast.Nonlocal
    parts = [part for inner in body for part in ast.walk(inner) if not is_function(inner)]
    if any(isinstance(part, kinds) for part in parts):
        yield node
    else:
        yield from body


def arguments_of(function):
    """Return the arguments that a function takes."""
    taken = function.args
    several = [one for one in (taken.vararg, taken.kwarg) if one is not None]
    return [*taken.posonlyargs, *taken.args, *taken.kwonlyargs, *several]


def is_function(node):
    """Say whether a statement defines a function or a class, whose `return` is its own."""
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
