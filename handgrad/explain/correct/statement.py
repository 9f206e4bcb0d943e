"""The text of a statement, and its expressions: how a part of it is written anew."""

import ast
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from handgrad.run.code import lines_in

# What binds more tightly than what: `-a * b` is (-a) * b, and a product in a power needs brackets.
STRENGTH = {ast.Add: 1, ast.Sub: 1, ast.Mult: 2, ast.Div: 2, ast.MatMult: 2, ast.Pow: 4}


UNARY, ATOM, LOOSE = 3, 9, 0


ATOMS = (ast.Name, ast.Attribute, ast.Subscript)


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
        for line in lines_in(text):
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
    return strength(ast.parse(f"({text.strip()})", mode="eval").body)  # it may have several lines


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
    is_loose = mine == LOOSE and isinstance(parent, ast.Compare | ast.BoolOp)
    return is_loose or isinstance(parent, ast.UnaryOp)


def belongs_to_call(part):
    """Say whether the brackets around a part are those of a call."""
    return isinstance(part.parent, ast.Call | ast.GeneratorExp | ast.Tuple)


def replaced_all(statement, nodes, texts):
    """Return the text with several parts written anew."""
    new = statement.text
    for node, text in sorted(
        zip(nodes, texts, strict=True), key=lambda pair: -statement.span(pair[0])[0]
    ):
        start, end = statement.span(node)
        new = new[:start] + text + new[end:]
    return new


def negated(text):
    """Return the text of an expression with the other sign."""
    if text.startswith("-") and strength_of(text) == UNARY:
        return text[1:].strip()
    return f"-{text}" if strength_of(text) >= STRENGTH[ast.Mult] else f"-({text})"


def called(call):
    """Return the name of the function that a call is of."""
    return getattr(call.func, "attr", getattr(call.func, "id", ""))
