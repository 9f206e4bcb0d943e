"""One thing written for another: a name, a sign, a layout, a number, a function."""

import ast
from itertools import combinations, permutations

from handgrad.explain.correct.statement import ATOMS, Part, called, negated, replaced_all

OTHER_SIGNS = {
    ast.Add: ("-",),
    ast.Sub: ("+",),
    ast.Mult: ("/", "@"),
    ast.Div: ("*",),
    ast.MatMult: ("*",),
}


COMPARED = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}


ASSIGNED = {ast.Add: "+=", ast.Sub: "-=", ast.Mult: "*=", ast.Div: "/="}


# Functions that are taken for each other.
OTHERS = {
    "sum": ("mean", "max"),
    "mean": ("sum",),
    "maximum": ("minimum",),
    "minimum": ("maximum",),
    "max": ("sum", "min", "mean"),
    "min": ("max",),
    "sin": ("cos",),
    "cos": ("sin",),
    "cosh": ("sinh",),
    "sinh": ("cosh",),
    "sqrt": ("square",),
    "square": ("sqrt", "abs"),
    "abs": ("sign", "square"),
    "sign": ("abs",),
    "exp": ("log", "expm1"),
    "log": ("exp", "log1p"),
    "var": ("std",),
    "std": ("var",),
    "zeros": ("ones",),
    "ones": ("zeros",),
    "zeros_like": ("ones_like",),
    "ones_like": ("zeros_like",),
    "argmax": ("argmin",),
    "dot": ("outer", "multiply"),
    "outer": ("dot", "multiply"),
    "multiply": ("dot", "divide"),
    "cumsum": ("sum",),
    "tril": ("triu",),
    "triu": ("tril",),
}


REDUCED = ("sum", "mean", "max", "min", "var", "std", "prod", "any", "all")


COUNTS = ("len({a})", "{a}.shape[1]", "{a}.shape[-1]", "{a}.size")


def other_names(statement, names):
    """Another name: in one place, or in all; a name for what a function gives."""
    read = [part for part in statement.read() if isinstance(part.node, (*ATOMS, ast.Call))]
    read = [p for p in read if not is_inside(statement, p, names.atoms)]
    for part in read:
        old = statement.of(part.node)
        for atom in names.atoms:
            cost = 1.6 if isinstance(part.node, ast.Call) else 1.0 if are_alike(atom, old) else 1.42
            if atom != old:
                yield cost, statement.with_part(part, atom)
    for old in dict.fromkeys(statement.of(part.node) for part in read):
        same = [part.node for part in read if statement.of(part.node) == old]
        for atom in names.atoms if len(same) > 1 else ():
            yield 1.4, replaced_all(statement, same, [atom] * len(same))


def is_inside(statement, part, atoms):
    """Say whether a part is the `values` of a `values["h1"]` that is a name as a whole."""
    return isinstance(part.parent, ATOMS) and statement.of(part.parent) in atoms


def are_alike(one, other):
    """Say whether two names differ in a character or two: h1 and h2, dz and z."""
    if abs(len(one) - len(other)) > 2:
        return False
    shared = sum(a == b for a, b in zip(one, other, strict=False))
    end = sum(a == b for a, b in zip(reversed(one), reversed(other), strict=False))
    return shared + end >= max(len(one), len(other)) - 2


def other_signs(statement, _):
    """A sign turned, an operator for another, operands the other way round."""
    if isinstance(statement.value, ast.expr) and not isinstance(statement.value, ast.Tuple):
        part = Part(statement.value, statement.node, *statement.span(statement.value))
        has_sign = statement.of(statement.value).startswith("-")
        turned = negated(statement.of(statement.value))
        yield 1.0 if has_sign else 1.25, statement.with_part(part, turned)
    for part in statement.read():
        node = part.node
        if isinstance(node, ast.UnaryOp):
            yield 1.0, statement.with_part(part, statement.of(node.operand))
        if isinstance(node, ast.BinOp):
            for sign in OTHER_SIGNS.get(type(node.op), ()):
                yield 1.2, statement.between(node.left, node.right, sign)
            if not isinstance(node.op, ast.Add | ast.Mult):
                yield 1.0, statement.exchanged(node.left, node.right)
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            for kind, sign in COMPARED.items():
                if not isinstance(node.ops[0], kind):
                    cost = 1.3 if sign in ("==", "!=") else 1.1
                    yield cost, statement.between(node.left, node.comparators[0], sign)


def other_layouts(statement, _):
    """Transposed or not, operands of a product exchanged, axes in another order."""
    for part in statement.read():
        node = part.node
        if isinstance(node, ast.Attribute) and node.attr == "T":
            yield 1.0, statement.with_part(part, statement.of(node.value))
        elif isinstance(node, (*ATOMS, ast.Call)) and not is_attribute_of(part, "T"):
            yield 1.5, statement.with_part(part, f"{statement.of(node)}.T")
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            left, right = node.left, node.right
            if isinstance(left, ast.Attribute) and left.attr == "T":
                new = f"{statement.of(right)}.T @ {statement.of(left.value)}"
                yield 1.2, statement.with_part(part, new)
            if isinstance(right, ast.Attribute) and right.attr == "T":
                new = f"{statement.of(right.value)} @ {statement.of(left)}.T"
                yield 1.2, statement.with_part(part, new)
        if isinstance(node, ast.Call):
            yield from exchanged_arguments(statement, node)
            numbers = [one for one in axes_of(node) if isinstance(one, ast.Constant)]
            if 2 <= len(numbers) <= 4 and len(numbers) == len(axes_of(node)):
                for order in permutations([one.value for one in numbers]):
                    yield 1.3, replaced_all(statement, numbers, [str(one) for one in order])
        if isinstance(node, ast.Tuple) and 2 <= len(node.elts) <= 8:
            for one, other in combinations(node.elts, 2):
                yield 1.5, statement.exchanged(one, other)


def is_attribute_of(part, name):
    """Say whether a part is what an attribute of this name is taken of."""
    return isinstance(part.parent, ast.Attribute) and part.parent.attr == name


def exchanged_arguments(statement, call):
    """Yield a call of two arguments with these exchanged, `a.dot(b)` as `b.dot(a)`."""
    function, arguments = call.func, call.args
    if len(arguments) == 2:
        yield 1.0, statement.exchanged(*arguments)
    if len(arguments) == 1 and isinstance(function, ast.Attribute) and function.attr == "dot":
        yield 1.0, statement.exchanged(function.value, arguments[0])
    if len(arguments) == 3:
        yield 1.0, statement.exchanged(*arguments[1:])


def axes_of(call):
    """Return the numbers of the axes that a call puts in order."""
    name = getattr(call.func, "attr", "")
    if name not in ("transpose", "swapaxes", "moveaxis"):
        return []
    last = call.args[-1] if call.args else None
    return last.elts if isinstance(last, ast.Tuple) else call.args[-3:]


def other_constants(statement, _):
    """Another number, another axis, keepdims or not."""
    for part in statement.read():
        node = part.node
        if isinstance(node, ast.Constant):
            is_index = isinstance(part.parent, ast.Subscript | ast.Slice | ast.keyword | ast.Tuple)
            for value in others_of(node.value, is_index):
                yield 1.2, statement.with_part(part, value)
        if isinstance(node, ast.Call) and called(node) in REDUCED:
            yield from other_reductions(statement, part)
        elif isinstance(node, ast.Call):
            for keyword in node.keywords:
                if keyword.arg is not None:
                    new = without_keyword(statement, node, keyword.arg)
                    yield 1.3, statement.with_part(part, new)


def other_flags(statement, names):
    """A flag that is not given: `nonlin(l2)` for `nonlin(l2, deriv=True)`."""
    for part in statement.read():
        if isinstance(part.node, ast.Call):
            text = statement.of(part.node)
            given = {keyword.arg for keyword in part.node.keywords}
            for function, flag, default in names.flags:
                if function == called(part.node) and flag not in given:
                    new = f"{text[: text.rindex(')')]}, {flag}={not default})"
                    yield 1.1, statement.with_part(part, new)


def others_of(value, is_index):
    """Yield numbers that may be meant in the place of one."""
    if isinstance(value, bool):
        yield str(not value)
    elif isinstance(value, int):
        near = (value - 1, value + 1, -value, 2 * value)
        yield from (str(one) for one in dict.fromkeys((0, 1, 2, -1, *near)) if one != value)
        yield "None" if is_index else "0.5"
    elif isinstance(value, float):
        yield from (f"{one:g}" for one in (-value, 1 - value, 2 * value, value / 2, 1.0, 2.0))
    elif value is None:
        yield from ("0", "1", "-1")


def other_reductions(statement, part):
    """Yield a sum over another axis, with keepdims or without."""
    call, text = part.node, statement.of(part.node)
    given = {keyword.arg: keyword for keyword in call.keywords}
    inner = text[: text.rindex(")")].rstrip().rstrip(",")
    comma = "" if inner.endswith("(") else ", "
    if "keepdims" not in given:
        yield 1.2, statement.with_part(part, f"{inner}{comma}keepdims=True)")
    else:
        yield 1.2, statement.with_part(part, without_keyword(statement, call, "keepdims"))
    is_method = not call.args or (len(call.args) == 1 and "axis" not in given)
    if "axis" not in given and is_method:
        for axis in ("0", "1", "-1", "0, keepdims=True", "1, keepdims=True", "-1, keepdims=True"):
            yield 1.3, statement.with_part(part, f"{inner}{comma}axis={axis})")
    elif "axis" in given:
        yield 1.3, statement.with_part(part, without_keyword(statement, call, "axis"))
        for axis in ("(0, 1)", "(0, 2)", "(0, 2, 3)", "(0, 1, 2)"):
            yield 1.4, replaced_all(statement, [given["axis"].value], [axis])


def without_keyword(statement, call, name):
    """Return the text of a call without one of its keywords."""
    rest = [statement.of(one) for one in call.args]
    rest += [f"{k.arg}={statement.of(k.value)}" for k in call.keywords if k.arg != name]
    return f"{statement.of(call.func)}({', '.join(rest)})"


def other_functions(statement, names):
    """A function for another: sum and mean, sin and cos, or one that the file calls."""
    for part in statement.parts:
        if not isinstance(part.node, ast.Call):
            continue
        name, (start, end) = called(part.node), statement.span(part.node.func)
        for other in OTHERS.get(name, ()):
            yield 1.2, statement.text[: end - len(name)] + other + statement.text[end:]
        if len(part.node.args) == 1 and not part.node.keywords:
            for function in names.functions:
                if function[:1].islower():  # no class
                    yield 1.4, statement.text[:start] + function + statement.text[end:]


def other_assignments(statement, _):
    """Added where it is assigned, or the reverse; repeated indices added up; left out."""
    node, text = statement.node, statement.text
    if isinstance(node, ast.AugAssign):
        start, end = statement.span(node.target)[1], statement.span(node.value)[0]
        old = ASSIGNED.get(type(node.op))
        for sign in ("=", *ASSIGNED.values()):
            if old and sign != old:
                yield 1.0, text[:start] + text[start:end].replace(old, sign, 1) + text[end:]
    elif isinstance(node, ast.Assign) and len(node.targets) == 1:
        start, end = statement.span(node.targets[0])[1], statement.span(node.value)[0]
        for sign in ("+=", "-="):
            yield 1.3, text[:start] + text[start:end].replace("=", sign, 1) + text[end:]
    target = getattr(node, "target", None) or (getattr(node, "targets", None) or [None])[0]
    if isinstance(target, ast.Subscript) and isinstance(node, ast.Assign | ast.AugAssign):
        parts = (statement.of(one) for one in (target.value, target.slice, node.value))
        yield 1.1, "np.add.at({}, {}, {})".format(*parts)
    if isinstance(node, ast.AugAssign | ast.Expr) or isinstance(target, ast.Subscript):
        yield 1.6, "pass"


def other_counts(statement, _):
    """The number of all entries for that of the samples, and the reverse."""
    for part in statement.read():
        of: ast.expr | None = None
        node = part.node
        if isinstance(node, ast.Call) and called(node) == "len" and node.args:
            of = node.args[0]
        elif isinstance(node, ast.Attribute) and node.attr == "size":
            of = node.value
        elif isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute):
            of = node.value.value if node.value.attr == "shape" else None
        if of is not None:
            for count in COUNTS:
                yield 1.3, statement.with_part(part, count.format(a=statement.of(of)))
