"""Where a correction may have to be made: the line itself first, then what it is computed with."""

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from handgrad.run.code import Code, Place, source_of

# What a place adds to the cost of an edit: the further from the line, the later it is tried.
OWN, SAME_NAME, RETURNED, HELPER, FEEDER, FEEDER_RIGHT, REST = 0.0, 0.2, 0.3, 0.4, 0.5, 1.2, 1.5
SIMPLE = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.Return)
HEADS = (ast.For, ast.If)
DEEP = 2  # how many statements back what goes into a line is looked for
MODULES = ("np", "numpy", "math", "torch", "scipy")
UNUSED = (*MODULES, "self", "cls", "range", "len")


class Spot(NamedTuple):
    """A place to be edited, its text, and what it adds to the cost of an edit."""

    place: Place
    text: str
    cost: float


def own_places(places: list[Place], name: str, line: tuple[str, int] | None) -> list[Place]:
    """Return the places that assign a quantity: those on its line, or with its name."""
    return [p for p in places if is_at(p, line)] or [p for p in places if name in targets(p.node)]


def editable(code: Code) -> list[Place]:
    """Return the places in a user's code that can be edited."""
    return [p for file in code.files() for p in code.places(file) if is_editable(p.node)]


def spots_for(
    places: list[Place], own: list[Place], name: str, right: set[str], is_returned: bool
) -> list[Spot]:
    """Return the places where a mistake in a quantity may be, the likeliest first.

    `own` are those that assign it, `name` is what the user calls it, `right` are the names of what
    is right. Where what is judged `is_returned`, it may also be the return that is wrong.
    """
    found: dict[tuple, Spot] = {}

    def add(chosen, cost):
        for place in chosen:
            if key_of(place) not in found:
                found[key_of(place)] = Spot(place, text_of(place), cost)

    add(own, OWN)
    around = [p for p in places if any(is_beside(p, one) for one in own)]
    names = {target for place in own for target in targets(place.node)} | {name}
    add([p for p in around if targets(p.node) & names], SAME_NAME)
    if is_returned:
        add([p for p in around if isinstance(p.node, ast.Return)], RETURNED)
    fed, fed_right = feeders(own, around, right), feeders(own, around, set())
    called = {name for place in [*own, *fed] for name in calls(place.node)}
    add([p for p in places if p.function is not None and p.function.name in called], HELPER)
    add(fed, FEEDER)
    add(fed_right, FEEDER_RIGHT)
    add([p for p in around if is_returned or not isinstance(p.node, ast.Return)], REST)
    return list(found.values())


def key_of(place):
    """Return what a place is known by."""
    return place.filename, place.node.lineno, place.node.col_offset


def is_editable(node):
    """Say whether a statement is simple, or has a head that is."""
    is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return isinstance(node, SIMPLE + HEADS) and not is_text


def is_at(place, line):
    """Say whether a place is on a line of a file; of a loop just its head is."""
    if line is None or not is_same_file(place.filename, line[0]):
        return False
    node = place.node
    last = node.body[0].lineno - 1 if isinstance(node, HEADS) else node.end_lineno
    return node.lineno <= line[1] <= max(last, node.lineno)


def is_same_file(one, other):
    """Say whether two names are those of one file; of a cell of a notebook there are two."""
    return one == other or "" != source_of(one) == source_of(other)


def is_beside(place, other):
    """Say whether two places are in one function, or in one script."""
    return place.filename == other.filename and place.function is other.function


def targets(node):
    """Return the names that a statement assigns, or writes into; keys and attributes are names."""
    found = set()
    for target in getattr(node, "targets", None) or [getattr(node, "target", None)]:
        for part in ast.walk(target) if target is not None else ():
            if isinstance(part, ast.Name):
                found.add(part.id)
            elif isinstance(part, ast.Attribute):
                found.add(part.attr)
            elif isinstance(part, ast.Constant) and isinstance(part.value, str):
                found.add(part.value)
    return found


def reads(node):
    """Return the names that a statement computes with."""
    parts = [getattr(node, "value", None), getattr(node, "iter", None), getattr(node, "test", None)]
    walked = [one for part in parts if part is not None for one in ast.walk(part)]
    return {one.id for one in walked if isinstance(one, ast.Name)}


def calls(node):
    """Return the names of the functions that a statement calls."""
    called = [part.func for part in ast.walk(node) if isinstance(part, ast.Call)]
    return {getattr(one, "attr", getattr(one, "id", "")) for one in called}


def feeders(own, around, right):
    """Return the statements that assign what goes into these, by itself or through another."""
    wanted = {name for one in own for name in reads(one.node)} - right
    for _ in range(DEEP):
        more = [p for p in around if targets(p.node) & wanted]
        wanted |= {name for one in more for name in reads(one.node)} - right
    return [place for place in around if targets(place.node) & wanted]


def text_of(place):
    """Return the text of a statement, of a loop that of its head."""
    source, node = source_of(place.filename), place.node
    text = ast.get_source_segment(source, node) or ast.unparse(node)
    if isinstance(node, HEADS):
        lines = text.splitlines()[: node.body[0].lineno - node.lineno] or [text.splitlines()[0]]
        head = "\n".join(lines)
        return head[: head.rindex(":") + 1] if ":" in head else head
    return text


class Names(NamedTuple):
    """What may be written at a place.

    `atoms` are the names that the function around it knows, and the `cache["h1"]` and `self.w` in
    it, as they are written there; `functions` are those that the file calls, `flags` what its own
    functions take that is True or False: pairs of a function and a name.
    """

    atoms: list[str]
    functions: list[str]
    flags: list[tuple[str, str, bool]]


def names_at(code: Code, place: Place) -> Names:
    """Return what may be written at a place."""
    tree = code.tree(place.filename)
    around: ast.AST = place.function if place.function is not None else tree
    calls = [part.func for part in ast.walk(tree) if isinstance(part, ast.Call)]
    called = {id(function) for function in calls}
    functions = [ast.unparse(one) for one in calls if is_plain(one)]
    atoms = dict.fromkeys(atoms_in(around, called))
    # of `h1 = values["h1"]` the name is enough
    kept = [atom for atom in atoms if not any(atom.endswith(f'["{other}"]') for other in atoms)]
    return Names(kept, list(dict.fromkeys(functions)), list(flags_in(tree)))


def flags_in(tree) -> Iterator[tuple[str, str, bool]]:
    """Yield the functions of a file with each argument that is True or False, and its default."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            named, defaults = node.args.args, node.args.defaults
            last = [*named[len(named) - len(defaults) :], *node.args.kwonlyargs]
            for argument, default in zip(last, [*defaults, *node.args.kw_defaults], strict=True):
                if isinstance(default, ast.Constant) and isinstance(default.value, bool):
                    yield node.name, argument.arg, default.value


def is_plain(function):
    """Say whether a function is called by its name, or by that of a module before it."""
    if isinstance(function, ast.Attribute):
        return isinstance(function.value, ast.Name) and function.value.id in MODULES
    return isinstance(function, ast.Name)


def atoms_in(around, called) -> Iterator[str]:
    """Yield the names in a function, arguments too, and what it takes from dicts and objects."""
    for part in ast.walk(around):
        of = getattr(getattr(part, "value", None), "id", "")  # the `cache` of `cache["h1"]`
        if isinstance(part, ast.arg) and part.arg not in ("self", "cls"):
            yield part.arg
        elif isinstance(part, ast.Name) and id(part) not in called and part.id not in UNUSED:
            yield part.id
        elif isinstance(part, ast.Subscript) and isinstance(part.slice, ast.Constant) and of:
            if isinstance(part.slice.value, str):
                yield f'{of}["{part.slice.value}"]'
        elif isinstance(part, ast.Attribute) and id(part) not in called and of == "self":
            yield f"self.{part.attr}"


def base_of(name):
    """Return the name without the number of a step and what a report adds to it: `h` of `h[3]`."""
    found = re.match(r"[A-Za-z_]\w*", name)
    return found[0] if found else name
