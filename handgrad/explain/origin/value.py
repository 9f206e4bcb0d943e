"""What each part of a line of the user's gives, computed once more from what the line read.

Just what changes nothing is computed: operators, NumPy's functions, names, attributes, indices.
What the user's own functions returned is known from the run, so none of them is called again.
"""

import ast
import builtins
import math
from types import ModuleType
from typing import Any

import numpy as np

UNKNOWN = object()
BUILTINS = "abs bool enumerate float int len list max min pow range reversed round sum tuple zip"
PURE = {getattr(builtins, name) for name in BUILTINS.split()}
IMPURE = {
    *("dump", "load", "loadtxt", "save", "savetxt", "savez", "savez_compressed", "tofile"),
    *("seterr", "seterrcall", "setflags"),
}
PLAIN = ("builtins", "numpy")  # the packages whose types run no code of the user's
WHOLE = ast.ListComp | ast.GeneratorExp | ast.SetComp | ast.DictComp | ast.Lambda
TREATED = ast.Call | ast.Starred | ast.Tuple | ast.List | ast.Dict | ast.Constant | ast.Name


class Values:
    """The values of the parts of a statement that has run."""

    def __init__(self, ran):
        self.ran, self.written = ran, ran.written
        self.space = {name: frozen(value) for name, value in {**ran.names, **ran.before}.items()}
        self.calls = list(ran.calls)
        self.known: dict[ast.AST, Any] = {}

    def of(self, node):
        """Return the value of a part, or UNKNOWN."""
        if node not in self.known:
            try:
                self.known[node] = frozen(self.computed(node))
            except Exception:  # of what is left out by `if`, or was never assigned
                self.known[node] = UNKNOWN
        return self.known[node]

    def computed(self, node):
        """Compute a part from the values of its own parts, in Python's order."""
        if isinstance(node, ast.Attribute | ast.Subscript) and ast.unparse(node) in self.written:
            return self.space[ast.unparse(node)]
        if isinstance(node, ast.GeneratorExp):  # which gives what it has only once
            node = ast.copy_location(ast.ListComp(node.elt, node.generators), node)
        if isinstance(node, WHOLE):
            return self.evaluated(node, {}) if self.is_pure_within(node) else UNKNOWN
        inner = parts_of(node)
        given = {f"part {number}": self.of(part) for number, part in enumerate(inner)}
        if isinstance(node, ast.Call):
            returned = self.returned(self.of(node.func))
            arguments = list(given.values())[1:]
            is_known = is_pure(self.of(node.func)) and all(map(is_plain, arguments))
            if returned is not UNKNOWN or not is_known:
                return returned
        elif isinstance(node, ast.Attribute):
            if isinstance(getattr(type(self.of(node.value)), node.attr, None), property):
                return UNKNOWN if not is_plain(self.of(node.value)) else self.evaluated(node, given)
        elif not isinstance(node, TREATED) and not all(map(is_plain, given.values())):
            return UNKNOWN
        return self.evaluated(node, given)

    def evaluated(self, node, given):
        """Evaluate a part, with names in the place of its own parts that are `given`."""
        names = dict(zip(parts_of(node), given, strict=False))
        if any(value is UNKNOWN for value in given.values()):
            return UNKNOWN
        node = ast.fix_missing_locations(ast.Expression(replaced(node, names)))
        with np.errstate(all="ignore"):
            return eval(compile(node, "<part>", "eval"), {**self.space, **given})

    def returned(self, function):
        """Return what the next call of a function of the user's returned, UNKNOWN of others."""
        code = code_of(function)
        for number, (called, value) in enumerate(self.calls):
            if called is code:
                del self.calls[number]
                return value
        return UNKNOWN

    def elements(self, node):
        """Yield the Values of the parts of each element of a comprehension, if it is one loop."""
        loop, *others = node.generators
        if others or not self.is_pure_within(node):
            return
        for item in self.evaluated(loop.iter, {}):
            element = Values(self.ran)
            element.space = self.space | {"an item": item}
            statement = ast.Assign([loop.target], ast.Name("an item", ast.Load()))
            module = ast.fix_missing_locations(ast.Module([statement], []))
            exec(compile(module, "<part>", "exec"), element.space)
            if all(element.of(condition) for condition in loop.ifs):
                yield element

    def is_pure_within(self, node):
        """Say whether a part may be computed again as a whole."""
        calls = [part for part in ast.walk(node) if isinstance(part, ast.Call)]
        return not isinstance(node, ast.Lambda) and all(is_pure(self.of(c.func)) for c in calls)


def parts_of(node):
    """Return the parts that a part is computed from."""
    if isinstance(node, WHOLE):
        return []
    if isinstance(node, ast.Call):
        keywords = [keyword.value for keyword in node.keywords]
        return [node.func, *node.args, *keywords]
    found = []
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Slice | ast.Tuple) and isinstance(node, ast.Subscript | ast.Tuple):
            found += [part for part in ast.iter_child_nodes(child) if isinstance(part, ast.expr)]
        elif isinstance(child, ast.expr):
            found.append(child)
    return [part for part in found if not isinstance(part, ast.Slice)]


def replaced(node, names):
    """Return a part with names in the place of parts of it."""
    if node in names:
        return ast.Name(names[node], ast.Load())
    if not names:
        return node
    again = type(node)()
    for field, value in ast.iter_fields(node):
        if isinstance(value, list):
            value = [replaced(one, names) if isinstance(one, ast.AST) else one for one in value]
        elif isinstance(value, ast.AST):
            value = replaced(value, names)
        setattr(again, field, value)
    return again


def code_of(function):
    """Return the code that is run where a function, a method or an object is called, or None."""
    plain = getattr(function, "__func__", function)
    if not hasattr(plain, "__code__") and callable(plain):
        plain = type(plain).__call__
    return getattr(plain, "__code__", None)


def is_pure(function):
    """Say whether this is a function that changes nothing: NumPy's, or one like it."""
    owner, name = getattr(function, "__self__", None), getattr(function, "__name__", "")
    if name in IMPURE or isinstance(function, np.vectorize):
        return False
    if owner is not None and not isinstance(owner, ModuleType):
        return isinstance(owner, np.ndarray | np.generic | np.ufunc)
    try:
        if function in PURE:
            return True
    except TypeError:
        return False
    module = str(getattr(function, "__module__", "") or "")
    is_drawn = module.startswith("numpy.random")
    return isinstance(function, np.ufunc) or (
        module.partition(".")[0] in ("numpy", math.__name__, "scipy") and not is_drawn
    )


def frozen(value):
    """Return an array as one that cannot be written into; what is no array as it is."""
    if not isinstance(value, np.ndarray):
        return value
    view = value.view()
    view.flags.writeable = False
    return view


def is_plain(value):
    """Say whether operators, indices and NumPy's functions run no code of the user's on a value."""
    if isinstance(value, list | tuple):
        return all(map(is_plain, value))
    is_type = isinstance(value, type)
    package = (value if is_type else type(value)).__module__.partition(".")[0]
    return package in PLAIN and (is_type or not hasattr(value, "__code__"))
