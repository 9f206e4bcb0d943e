"""The code of both versions, as it stands in the files, coloured for a page."""

import ast
import inspect
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from handgrad.errors import InputError
from handgrad.load.lines import Line, assignments, assigns, line_of


class Code(NamedTuple):
    """Some lines of a file: its name, the number of each line, and their code."""

    file: str
    lines: list[Line]

    def coloured(self):
        """Return pairs of a number and a line as HTML; a text over several lines is one text."""
        pieces = coloured("\n".join(line.code for line in self.lines)).split("\n")
        counts = [line.code.count("\n") + 1 for line in self.lines]
        numbers = [
            line.number + i for line, n in zip(self.lines, counts, strict=True) for i in range(n)
        ]
        return zip(numbers, pieces, strict=True)


def coloured(code):
    """Return Python code as HTML; the colours are classes of the page's style."""
    lexer = PythonLexer(stripnl=False)  # else blank lines at either end would be gone
    return Markup(highlight(code, lexer, HtmlFormatter(nowrap=True)).removesuffix("\n"))


def file_name(module):
    """Return the name of a module's file as a reader finds it: manual/NAME.py."""
    return module.__name__.removeprefix("handgrad.").replace(".", "/") + ".py"


def code_of(module, names):
    """Return for each of the names that a module assigns the Code of the line that does."""
    found = assignments(module.__file__, names)
    return {name: Code(file_name(module), [dedented(line)]) for name, line in found.items()}


def derivation_code(module, names):
    """Return for each quantity the Code of the lines of `forward` or `backward` that build it.

    What stands between two quantities, a mask say, belongs to the one that comes after it.
    Raises InputError where no line builds one of `names`.
    """
    source = Path(module.__file__).read_text(encoding="utf-8")
    lines = source.splitlines()
    found: dict[str, list[Line]] = {}
    for function in ast.parse(source).body:
        if isinstance(function, ast.FunctionDef) and function.name in ("forward", "backward"):
            before = []
            for node in (node for node in function.body if assigns(node)):
                before.append(dedented(line_of(node, lines)))
                if built := assigns(node) & set(names):
                    for name in built:
                        found.setdefault(name, []).extend(before)
                    before = []
    for name in names:
        if name not in found:
            raise InputError(
                f"{file_name(module)} has no line of its own for `{name}`: a lesson needs one, "
                f"such as `{name} = ...`."
            )
    return {name: Code(file_name(module), found[name]) for name in names}


def torch_code(module, name):
    """Return the Code of a value in a PyTorch module: the submodule, and where it is called.

    None where no line says `self.` and its name.
    """
    text = Path(module.__file__).read_text(encoding="utf-8")
    lines = text.splitlines()
    found = [
        dedented(line_of(node, lines))
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Assign | ast.Return) and uses_own(node, name)
    ]
    return Code(file_name(module), sorted(found)) if found else None


def uses_own(node, name):
    """Say whether a statement has `self.name` in it."""
    return any(
        isinstance(part, ast.Attribute)
        and part.attr == name
        and isinstance(part.value, ast.Name)
        and part.value.id == "self"
        for part in ast.walk(node)
    )


def whole(part, module):
    """Return the Code of a whole function or class of a module."""
    lines, first = inspect.getsourcelines(part)
    return Code(file_name(module), numbered(lines, first))


def numbered(lines, first):
    """Return lines of code as Lines, from the number `first` on."""
    return [Line(number, number, line.rstrip("\n")) for number, line in enumerate(lines, first)]


def dedented(line):
    """Return a Line without the indentation of its first line."""
    indent = len(line.code) - len(line.code.lstrip())
    code = "\n".join(
        one[indent:] if one[:indent].isspace() else one for one in line.code.splitlines()
    )
    return line._replace(code=code)
