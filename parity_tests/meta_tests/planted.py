"""Mistakes to plant in correct derivations, one line each, and what must be said of them."""

import inspect
import linecache
from types import ModuleType

import numpy as np

from handgrad.explain.causes import IN_ORDER
from handgrad.load import gallery, own
from handgrad.load.programme import of_functions
from handgrad.pipeline import check

# For each network: a line's part, what stands there instead, and the cause of each quantity
# that is then wrong. All others are right or inherited.
PLANTED = {
    name: [example[1:] for cause in IN_ORDER for example in cause.EXAMPLES if example[0] == name]
    for name in gallery.GALLERY
}


# The second is the right slope of what the first computes, so the numbers show the first alone.
HIDDEN = [
    ("h2_relu = np.maximum(h1, 0)", "grad_h2_relu * (h1 > 0)"),
    ("h2_sigm = sigmoid(h1)", "grad_h2_sigm * h1_sigm * (1 - h1_sigm)"),
    ("h_relu = np.maximum(h, 0, out=h)", "grad_h_relu"),
]


def planted(network, *changes):
    """Return a network's hand-written module with some of its lines changed: old and new."""
    right = gallery.manual_side(network)
    source = inspect.getsource(right)
    source = source[source.index("import numpy") :]  # the docstring has some of the lines as well
    for old, new in changes:
        assert source.count(old) >= 1, old
        source = source.replace(old, new, 1)
    side = ModuleType(right.__name__)
    side.__package__, side.__file__ = right.__package__, right.__file__
    filename = f"<{network} {changes}>"
    linecache.cache[filename] = len(source), None, source.splitlines(True), filename
    exec(compile(source, filename, "exec"), side.__dict__)
    return side


def own_forward(network, *changes):
    """Return the Network of a hand-written module so changed, its own forward as the reference."""
    side, drawn = planted(network, *changes), gallery.load(network)
    filename = side.forward.__code__.co_filename
    programme, params = of_functions(
        vars(side), drawn.params, drawn.x, drawn.y, {filename}.__contains__, [vars(side)], network
    )
    return own.load(programme, params, drawn.x, drawn.y, name=network, source=network)


def check_planted(network, *changes):
    """Check a network with some of its lines changed: pairs of old and new."""
    return check(gallery.load(network, side=planted(network, *changes)))


def wrong_of(report):
    """Return the quantities that a report calls wrong, each with the kind of its cause."""
    return {f.name: f.cause.kind for f in report.findings if f.verdict == "wrong"}


def draw_several(rng):
    """Draw two or three mistakes of one network in different lines and quantities, or None.

    A mistake that another one hides (what is multiplied by 0 afterwards, an index into two
    arrays that have become equal, those of HIDDEN) cannot be seen by anybody: None as well.
    """
    network = rng.choice(list(PLANTED))
    chosen = rng.sample(PLANTED[network], rng.choice((2, 3)))
    lines = [old for old, _, _ in chosen]
    names = [name for _, _, wrong in chosen for name in wrong]
    if any(a in b for a in lines for b in lines if a is not b) or len(set(names)) < len(names):
        return None
    changes = [(old, new) for old, new, _ in chosen]
    if any({a, b} <= {new for _, new in changes} for a, b in HIDDEN):
        return None
    try:
        together = run_planted(network, *changes)
        for change, (_, _, wrong) in zip(changes, chosen, strict=True):
            without = run_planted(network, *[other for other in changes if other != change])
            if any(np.array_equal(together[name], without[name], equal_nan=True) for name in wrong):
                return None
    except (AssertionError, ValueError):  # a line that is gone, shapes that do not fit
        return None
    return network, changes, {name: kind for _, _, wrong in chosen for name, kind in wrong.items()}


def run_planted(network, *changes):
    """Return the hand-written trace of a network with some of its lines changed."""
    side = planted(network, *changes)
    params, x, y = side.init(np.random.default_rng(0))
    values = side.forward(params, x, y)
    return {**values, **side.backward(params, x, y, values)}
