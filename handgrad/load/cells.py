"""The cells that were run in IPython, as the cells of a notebook: the last pass in them.

Nothing before the pass is run again: it is judged on the arrays as they stand now.
"""

import ast
import linecache
from contextlib import contextmanager

from handgrad.errors import InputError
from handgrad.load import script
from handgrad.load.arrays import bases_of
from handgrad.load.defined import files_of, with_cells
from handgrad.load.notebook import without_magic
from handgrad.load.statements import computed_first, is_aside, segments_of, statements_of, title_of
from handgrad.run.targets import lines_of

SHELL = {"get_ipython", "globals", "locals"}  # names in lines that are not of the derivation
AS_THEY_STAND = "It was run on the arrays as they stand now, after all cells."


def cells_of(namespace):
    """Return the cells that were run in IPython, by number; raise InputError outside of it."""
    shell = namespace.get("get_ipython")
    if not callable(shell) or "In" not in namespace:
        raise InputError(
            "check(globals()) takes the forward pass from the cells that were run in Jupyter: "
            "elsewhere give a reference, check(globals(), model, x, y), or check the file, "
            "`handgrad check FILE.py`."
        )
    history = getattr(shell(), "history_manager", None)
    cells = getattr(history, "input_hist_raw", None) or namespace["In"]
    return dict(enumerate(cells))


def sources_of(cells):
    """Return pairs of a name, `cell [3]`, and source; what is no Python is left out."""
    lines_of.cache_clear()
    found = []
    for number, cell in cells.items():
        source = "\n".join(map(without_magic, cell.splitlines())) + "\n"
        try:
            ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        name = f"cell [{number}]"
        linecache.cache[name] = len(source), None, source.splitlines(True), name
        found.append((name, source))
    return found


@contextmanager
def opened(cells, namespace):
    """Yield the Network of the last pass in cells that were run in a namespace.

    What the pass assigns is not there while the Network is in use: it is computed again.
    """
    statements = [s for s in statements_of(sources_of(cells)) if not s.used & SHELL]
    segments = [s for s in segments_of(statements) if has_gradients(s.statements)]
    if not segments:
        raise InputError(
            "Nothing in the cells looks like a derivation: it needs gradients that are called "
            "after their weights, grad_w1 or dw1."
        )
    before = dict(namespace)
    body = pass_of(segments[-1], namespace)
    try:
        for name in computed_first(body):
            namespace.pop(name, None)
        yield load(body, namespace)
    finally:
        namespace.update(before)


def has_gradients(statements):
    """Say whether statements assign what is called as the gradient of something that they use."""
    assigned = {name for one in statements for name in one.assigned}
    known = assigned.union(*(one.used for one in statements))
    return any(base in known for name in assigned for base in bases_of(name))


def pass_of(segment, namespace):
    """Return the statements of a segment's pass: as `script.started` does, but nothing is run."""
    statements, start = segment.statements[: segment.end], segment.start
    while start < len(statements) and not script.computes(statements[start], namespace):
        start += 1
    if not segment.moved:
        start += script.last_leaf(statements[start:], namespace, "the cells")
    return [one for one in statements[start:] if not is_aside(one.node)]


def load(body, namespace):
    """Return the Network of a pass on what a namespace holds now."""
    title = title_of(body)
    about = {"name": title, "source": title, "notes": (AS_THEY_STAND,)}
    return with_cells(
        script.load(body, namespace, files_of(namespace), [namespace], title, **about)
    )
