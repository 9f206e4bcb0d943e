"""What is too many in a statement, and what is forgotten: a factor, a term, a slope, a sum."""

import ast
from itertools import product

from handgrad.explain.correct.exchanged import COUNTS
from handgrad.explain.correct.statement import (
    ATOM,
    ATOMS,
    STRENGTH,
    Part,
    called,
    negated,
    replaced_all,
    strength,
)

# What stands behind an array that is summed up, and the slopes that it is multiplied by.
KEPT = ("astype", "copy", "round", "clip", "abs")  # what leaves an array much as it is
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


INSTEAD = ("1 - {a}", "{a}**2", "np.sqrt({a})", "1 / {a}", "{a} > 0", "2 * {a}", "1 + {a}")


def left_out(statement, _):
    """A factor or a term that is too many, a function around, an index."""
    for part in statement.read():
        node = part.node
        if isinstance(node, ast.BinOp):
            yield 1.1, statement.with_part(part, statement.of(node.left))
            if not isinstance(node.op, ast.Div | ast.Pow):
                sign = "-" if isinstance(node.op, ast.Sub) else ""
                right = statement.of(node.right)
                yield 1.1, statement.with_part(part, negated(right) if sign else right)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            yield 1.3, statement.with_part(part, f"1 - {statement.of(node.operand)}")
        elif isinstance(node, ast.Call) and len(node.args) <= 1 and len(node.keywords) <= 2:
            for inner in [*node.args, getattr(node.func, "value", None)]:
                if inner is not None:
                    cost = 1.1 if called(node) in KEPT else 1.6
                    yield cost, statement.with_part(part, statement.of(inner))
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


def counts(statement, names):
    """The number of samples, or of features, or its root: a factor that is missing, or too many."""
    value = statement.value
    if not isinstance(value, ast.expr) or isinstance(value, ast.Tuple | ast.Dict):
        return
    whole = Part(value, statement.node, *statement.span(value))
    own = statement.of(value)
    factor = own if strength(value) >= STRENGTH[ast.Mult] else f"({own})"
    read = [statement.of(part.node) for part in statement.read() if isinstance(part.node, ATOMS)]
    data = [name for name in names.atoms if name in ("x", "X", "y", "Y")]
    for atom in dict.fromkeys([*read, *data]):
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


def penalties(statement, names, parameters):
    """Yield the gradient of a penalty, added: its strength is one of the names, or a number."""
    value = statement.value
    if not isinstance(value, ast.expr) or isinstance(value, ast.Tuple | ast.Dict):
        return
    whole, own = Part(value, statement.node, *statement.span(value)), statement.of(value)
    for weight in parameters:
        for rate in names.atoms:
            for term in (f"{rate} * {weight}", f"2 * {rate} * {weight}"):
                yield 2.8, statement.with_part(whole, f"{own} + {term}")
