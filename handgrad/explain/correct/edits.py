"""Small edits of a statement: what people write in the place of what they mean, the other way.

An edit is a cost and the new text of the statement. The user's own writing, comments and line
breaks stay as they are: just the part that changes is written anew.
"""

import ast
from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from itertools import combinations, permutations, product
from typing import NamedTuple

from handgrad.explain.correct.places import Names

# What binds more tightly than what: `-a * b` is (-a) * b, and a product in a power needs brackets.
STRENGTH = {ast.Add: 1, ast.Sub: 1, ast.Mult: 2, ast.Div: 2, ast.MatMult: 2, ast.Pow: 4}
UNARY, ATOM, LOOSE = 3, 9, 0
SIGNS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.MatMult: "@", ast.Pow: "**"}
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

# What stands behind an array that is summed up, and the slopes that it is multiplied by.
SUMMED = (
    ".sum(axis=0)",
    ".sum(axis=0, keepdims=True)",
    ".sum(axis=1, keepdims=True)",
    ".sum(axis=-1, keepdims=True)",
    ".sum(axis=1)",
    ".sum()",
    ".mean(axis=0)",
    ".mean(axis=0, keepdims=True)",
    ".mean(axis=1, keepdims=True)",
    ".mean(axis=-1, keepdims=True)",
)
SLOPES = ("({a} > 0)", "(1 - {a}**2)", "{a} * (1 - {a})", "(1 - {a})", "np.cos({a})", "np.exp({a})")
COUNTS = ("len({a})", "{a}.shape[1]", "{a}.shape[-1]", "{a}.size")
INSTEAD = ("1 - {a}", "{a}**2", "np.sqrt({a})", "1 / {a}", "{a} > 0", "2 * {a}", "1 + {a}")


CHEAPEST = 1.0, 2.8  # of the first stage, and of the second


class Edit(NamedTuple):
    """A new text for a statement; the smaller its cost, the sooner it is tried."""

    cost: float
    text: str


class Part(NamedTuple):
    """An expression in a statement: its node, the node around it, and where its text is."""

    node: ast.expr
    parent: ast.AST
    start: int
    end: int


class Statement:
    """The text of a statement and its expressions.

    `text` is that of a simple statement, or of the head of a loop or an `if`, up to its colon.
    """

    def __init__(self, text: str):
        self.text = text
        is_head = text.lstrip().startswith(("for ", "if ")) and text.rstrip().endswith(":")
        self.node = parsed(text + " pass" if is_head else text)
        self.starts = [0]
        for line in text.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))
        self.parts = list(self.parts_of(self.node, self.node))

    def parts_of(self, node, parent) -> Iterator[Part]:
        """Yield the expressions in a node from the left, outer ones first."""
        if isinstance(node, ast.expr):
            yield Part(node, parent, *self.span(node))
        for inner in ast.iter_child_nodes(node):
            yield from self.parts_of(inner, node)

    def span(self, node):
        """Return where the text of a node begins and ends, as numbers of characters."""
        return self.at(node.lineno, node.col_offset), self.at(node.end_lineno, node.end_col_offset)

    def at(self, line, column):
        """Return the number of a character; the columns that Python counts are bytes."""
        start = self.starts[line - 1]
        row = self.text[start : self.starts[line]].encode()[:column]
        return start + len(row.decode(errors="ignore"))

    def of(self, node):
        """Return the text of a node."""
        start, end = self.span(node)
        return self.text[start:end]

    @property
    def value(self):
        """The expression that the statement computes, or None."""
        return getattr(self.node, "value", None)

    def read(self):
        """Return the parts that are read: not what is assigned, nor what is called."""
        called = {id(part.node.func) for part in self.parts if isinstance(part.node, ast.Call)}
        return [
            part
            for part in self.parts
            if id(part.node) not in called
            and isinstance(getattr(part.node, "ctx", ast.Load()), ast.Load)
        ]

    def with_part(self, part, new):
        """Return the text with a part written anew, in brackets where it needs them.

        It is the old text where the new one is no expression: `0.shape`.
        """
        try:
            strength_of(new)
        except SyntaxError:
            return self.text
        start, end = part.start, part.end
        if needs_brackets(part, new) and not self.is_in_brackets(part):
            new = f"({new})"
        elif is_atom(new) and self.is_in_brackets(part) and not belongs_to_call(part):
            start, end = start - 1, end + 1
        return self.text[:start] + new + self.text[end:]

    def is_in_brackets(self, part):
        """Say whether a part stands in round brackets."""
        before, after = self.text[part.start - 1 : part.start], self.text[part.end : part.end + 1]
        return before == "(" and after == ")"

    def between(self, left, right, sign):
        """Return the text with another operator between two expressions."""
        start, end = self.span(left)[1], self.span(right)[0]
        old = self.text[start:end]
        bare = old.strip("() \n\t")
        return self.text[:start] + old.replace(bare, sign, 1) + self.text[end:]

    def exchanged(self, left, right):
        """Return the text with two expressions in each other's place."""
        (a, b), (c, d) = self.span(left), self.span(right)
        text = self.text
        return text[:a] + text[c:d] + text[b:c] + text[a:b] + text[d:]


def parsed(text):
    """Return the one statement of a text; raise SyntaxError where it is none, or several."""
    body = ast.parse(text).body
    if len(body) != 1:
        raise SyntaxError(f"{len(body)} statements")
    return body[0]


def is_atom(text):
    """Say whether an expression binds so tightly that it needs no brackets anywhere."""
    return strength_of(text) == ATOM


@lru_cache(maxsize=4096)
def strength_of(text):
    """Return how tightly the outermost operator of an expression binds, of its text."""
    return strength(ast.parse(text.strip(), mode="eval").body)


def strength(node):
    """Return how tightly the outermost operator of an expression binds."""
    if isinstance(node, ast.BinOp):
        return STRENGTH.get(type(node.op), LOOSE)
    if isinstance(node, ast.UnaryOp):
        return UNARY
    is_loose = isinstance(node, ast.Compare | ast.BoolOp | ast.IfExp | ast.Lambda | ast.Tuple)
    return LOOSE if is_loose else ATOM


def needs_brackets(part, new):
    """Say whether a new text of a part has to stand in brackets there."""
    mine, parent = strength_of(new), part.parent
    if mine == ATOM:
        return False
    if isinstance(parent, ast.BinOp):
        around = strength(parent)
        is_right = part.node is parent.right
        return mine < around or (mine == around and is_right) or mine == LOOSE
    if isinstance(parent, ast.Attribute | ast.Subscript | ast.Call | ast.Starred):
        return part.node in (getattr(parent, "value", None), getattr(parent, "func", None))
    return isinstance(parent, ast.UnaryOp | ast.Compare | ast.BoolOp)


def belongs_to_call(part):
    """Say whether the brackets around a part are those of a call."""
    return isinstance(part.parent, ast.Call | ast.GeneratorExp | ast.Tuple)


def edits_of(text: str, names: Names, parameters: Sequence[str], stage: int) -> list[Edit]:
    """Return the edits of a statement, each text once, the cheapest first.

    `names` is what its function knows, `parameters` are those that a penalty may be on. The second
    `stage` has the many that are tried where none of the first is right.
    """
    try:
        statement = Statement(text)
    except (SyntaxError, ValueError, RecursionError):
        return []
    if isinstance(statement.node, ast.Return):
        kinds = () if stage else RETURNED
    else:
        kinds = (terms, partial(penalties, parameters=parameters)) if stage else KINDS
    costs: dict[str, float] = {}
    for kind in kinds:
        for cost, new in kind(statement, names):
            if new != text:
                costs[new] = min(cost, costs.get(new, cost))
    order = sorted(costs.items(), key=lambda item: (item[1], len(item[0])))
    return [Edit(cost, new) for new, cost in order]


def other_names(statement, names):
    """Another name: in one place, or in all; a name for what a function gives."""
    read = [part for part in statement.read() if isinstance(part.node, (*ATOMS, ast.Call))]
    read = [p for p in read if not is_inside(statement, p, names.atoms)]
    for part in read:
        old = statement.of(part.node)
        for atom in names.atoms:
            cost = 1.6 if isinstance(part.node, ast.Call) else 1.0 if are_alike(atom, old) else 1.4
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
        yield 1.0, statement.with_part(part, negated(statement.of(statement.value)))
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
                    yield 1.1, statement.between(node.left, node.comparators[0], sign)


def negated(text):
    """Return the text of an expression with the other sign."""
    if text.startswith("-") and strength_of(text) == UNARY:
        return text[1:].strip()
    return f"-{text}" if strength_of(text) >= STRENGTH[ast.Mult] else f"-({text})"


def other_layouts(statement, _):
    """Transposed or not, operands of a product exchanged, axes in another order."""
    for part in statement.read():
        node = part.node
        if isinstance(node, ast.Attribute) and node.attr == "T":
            yield 1.0, statement.with_part(part, statement.of(node.value))
        elif isinstance(node, (*ATOMS, ast.Call)) and not is_attribute_of(part, "T"):
            yield 1.5, statement.with_part(part, f"{statement.of(node)}.T")
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


def replaced_all(statement, nodes, texts):
    """Return the text with several parts written anew."""
    new = statement.text
    for node, text in sorted(
        zip(nodes, texts, strict=True), key=lambda pair: -statement.span(pair[0])[0]
    ):
        start, end = statement.span(node)
        new = new[:start] + text + new[end:]
    return new


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
                yield 1.4, statement.text[:start] + function + statement.text[end:]


def called(call):
    """Return the name of the function that a call is of."""
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


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


def left_out(statement, _):
    """A factor or a term that is too many, a function around, an index."""
    for part in statement.read():
        node = part.node
        if isinstance(node, ast.BinOp):
            yield 1.5, statement.with_part(part, statement.of(node.left))
            if not isinstance(node.op, ast.Div | ast.Pow):
                sign = "-" if isinstance(node.op, ast.Sub) else ""
                right = statement.of(node.right)
                yield 1.5, statement.with_part(part, negated(right) if sign else right)
        elif isinstance(node, ast.Call) and len(node.args) <= 1 and len(node.keywords) <= 2:
            for inner in [*node.args, getattr(node.func, "value", None)]:
                if inner is not None:
                    yield 1.6, statement.with_part(part, statement.of(inner))
        elif isinstance(node, ast.Call) and called(node) == "where" and len(node.args) == 3:
            yield 1.6, statement.with_part(part, statement.of(node.args[1]))
        elif isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Constant):
            yield 1.6, statement.with_part(part, statement.of(node.value))
            same = [p.node for p in statement.read() if is_indexed_alike(statement, p.node, node)]
            if len(same) > 1:
                texts = [statement.of(one.value) for one in same]
                yield 1.7, replaced_all(statement, same, texts)


def is_indexed_alike(statement, node, other):
    """Say whether two parts of a statement have the same index."""
    if not isinstance(node, ast.Subscript):
        return False
    return statement.of(node.slice) == statement.of(other.slice)


def forgotten(statement, names):
    """A factor, a term, a slope or a sum that is missing: of the whole, or of one name in it."""
    value = statement.value
    if not isinstance(value, ast.expr) or isinstance(value, ast.Tuple | ast.Dict):
        return
    whole = Part(value, statement.node, *statement.span(value))
    read = [part for part in statement.read() if isinstance(part.node, ATOMS)]
    inner = [p for p in statement.read() if isinstance(p.node, ast.BinOp) and p.node is not value]
    for part, extra in [(whole, 0.0), *((part, 0.3) for part in read + inner)]:
        if isinstance(part.node, ast.Constant):
            continue
        own = statement.of(part.node)
        factor = own if strength(part.node) >= STRENGTH[ast.Mult] else f"({own})"
        for atom in names.atoms:
            if atom != own:
                yield 2.0 + extra, statement.with_part(part, f"{factor} * {atom}")
                yield 2.2 + extra, statement.with_part(part, f"{factor} / {atom}")
                yield 2.1 + extra, statement.with_part(part, f"{own} + {atom}")
                yield 2.2 + extra, statement.with_part(part, f"{own} - {atom}")
        for number in ("2", "0.5"):
            yield 2.0 + extra, statement.with_part(part, f"{number} * {factor}")
        if part is whole:
            for atom in names.atoms:
                for slope in SLOPES:
                    new = slope.format(a=atom)
                    yield 2.4, statement.with_part(part, f"{factor} * {new}")
        behind = own if strength(part.node) == ATOM else f"({own})"
        for summed in SUMMED:
            yield 2.3 + extra, statement.with_part(part, f"{behind}{summed}")
        yield 2.0 + extra, statement.with_part(part, f"{behind}.copy()")
    for part in read:
        for new in INSTEAD:
            yield 2.4, statement.with_part(part, new.format(a=statement.of(part.node)))


def other_counts(statement, _):
    """The number of all entries for that of the samples, and the reverse."""
    for part in statement.read():
        node, of = part.node, None
        if isinstance(node, ast.Call) and called(node) == "len" and node.args:
            of = node.args[0]
        elif isinstance(node, ast.Attribute) and node.attr == "size":
            of = node.value
        elif isinstance(node, ast.Subscript) and getattr(node.value, "attr", "") == "shape":
            of = node.value.value
        if of is not None:
            for count in COUNTS:
                yield 1.3, statement.with_part(part, count.format(a=statement.of(of)))


def counts(statement, names):
    """The number of samples, or of features, or its root: a factor that is missing, or too many."""
    value = statement.value
    if not isinstance(value, ast.expr) or isinstance(value, ast.Tuple | ast.Dict):
        return
    whole = Part(value, statement.node, *statement.span(value))
    own = statement.of(value)
    factor = own if strength(value) >= STRENGTH[ast.Mult] else f"({own})"
    read = {statement.of(part.node) for part in statement.read() if isinstance(part.node, ATOMS)}
    for atom in [*read, *(name for name in names.atoms if name in ("x", "X", "y", "Y"))]:
        for count in (one.format(a=atom) for one in COUNTS):
            yield 2.5, statement.with_part(whole, f"{factor} / {count}")
            yield 2.6, statement.with_part(whole, f"{factor} * {count}")
        yield 2.7, statement.with_part(whole, f"{factor} / np.sqrt({atom}.shape[-1])")
    for labels in ("y", "Y", "t", "labels", "targets", "target"):
        if labels in names.atoms:
            classes = (
                f"np.eye({own if strength(value) == ATOM else f'({own})'}.shape[-1])[{labels}]"
            )
            yield 2.5, statement.with_part(whole, f"{own} - {classes}")


def penalties(statement, names, parameters):
    """Yield the gradient of a penalty, added: its strength is one of the names, or a number."""
    value = statement.value
    if not isinstance(value, ast.expr) or isinstance(value, ast.Tuple | ast.Dict):
        return
    whole, own = Part(value, statement.node, *statement.span(value)), statement.of(value)
    for weight in parameters:
        for strength in names.atoms:
            for term in (f"{strength} * {weight}", f"2 * {strength} * {weight}"):
                yield 2.8, statement.with_part(whole, f"{own} + {term}")


def terms(statement, names):
    """A term that is missing and is a product, or what a function gives."""
    value = statement.value
    if not isinstance(value, ast.expr) or isinstance(value, ast.Tuple | ast.Dict):
        return
    inner = [p for p in statement.read() if isinstance(p.node, ast.BinOp) and p.node is not value]
    for part in [Part(value, statement.node, *statement.span(value)), *inner]:
        own = statement.of(part.node)
        factor = own if strength(part.node) >= STRENGTH[ast.Mult] else f"({own})"
        for function, atom in product(names.functions, names.atoms):
            new = f"{function}({atom})"
            yield 2.9, statement.with_part(part, f"{own} - {new}")
            yield 2.9, statement.with_part(part, f"{own} + {new}")
            yield 3.0, statement.with_part(part, f"{factor} * {new}")
            yield 3.0, statement.with_part(part, f"{factor} / {new}")
        for one, other in product(names.atoms, repeat=2):
            for new in (f"{one} @ {other}.T", f"{one}.T @ {other}", f"{one} * {other}"):
                if part.node is value:
                    yield 3.0, statement.with_part(part, f"{own} + {new}")
                    yield 3.1, statement.with_part(part, f"{own} - {new}")


ATOMS = (ast.Name, ast.Attribute, ast.Subscript)

RETURNED = (other_names, other_signs, other_layouts)

KINDS = (
    other_names,
    other_signs,
    other_layouts,
    other_constants,
    other_functions,
    other_assignments,
    other_counts,
    left_out,
    forgotten,
    counts,
)
