"""The docstring of a hand-written network, taken apart, and its formulas as MathML."""

import re
from typing import NamedTuple

from latex2mathml.converter import convert
from markupsafe import Markup, escape

from handgrad.errors import InputError

INDENT = 4 * " "  # of a formula's line, or more: prose is indented less
FORMULA = re.compile(r"(\w+) +\$([^$]+)\$( +\(.+\)| +a number)?")  # name, TeX and shape
STEP = re.compile(r"^\d+\. ", re.MULTILINE)
MARKED = re.compile(r"(`[^`]+`|\$[^$]+\$)")  # code or TeX within prose


class Derivation(NamedTuple):
    """The parts of a docstring, each paragraph on one line."""

    title: str
    new: str  # against another network, "" where there is none
    formulas: dict[str, str]  # TeX by name, in the order of computing: values, loss, gradients
    steps: list[tuple[str, list[str]]]  # of the backward pass: prose, and the gradients it gives
    notes: list[str]  # on what the notebook does otherwise
    forward: str  # the words before the formulas of the forward pass
    backward: str  # the words before the steps of the backward pass


def derivation(module):
    """Take the docstring of a hand-written network apart.

    Raises InputError, which is a ValueError, where a part is missing or a formula is broken.
    """
    where = f"The docstring of {module.__name__.removeprefix('handgrad.')}"
    if not module.__doc__:
        raise InputError(f"{where} is missing.")
    paragraphs = [prose(paragraph) for paragraph in module.__doc__.strip().split("\n\n")]
    for word in ("Forward", "Backward"):
        if not starting(paragraphs, word):
            raise InputError(f"{where} has no paragraph that starts with {word!r}.")
    _, *blocks = STEP.split(module.__doc__)
    if not blocks:
        raise InputError(f"{where} has no numbered steps: start the first with '1. '.")
    blocks[-1] = blocks[-1].split("\n\n")[0]  # the notes come after the last step
    return Derivation(
        title=paragraphs[0].rstrip("."),
        new=next(iter(starting(paragraphs, "New against")), ""),
        formulas=read_formulas(module.__doc__, where),
        steps=[(prose(block), list(read_formulas(block, where))) for block in blocks],
        notes=starting(paragraphs, "The notebook"),
        forward=below_its_heading(starting(paragraphs, "Forward")[0]),
        backward=below_its_heading(starting(paragraphs, "Backward")[0]),
    )


def prose(text):
    """Join the lines of a paragraph, but for its formulas."""
    lines = text.splitlines()
    return " ".join(line.strip() for line in lines if not line.startswith(INDENT))


def below_its_heading(paragraph):
    """Leave out the first word, which a lesson has for a heading."""
    _, rest = paragraph.split(maxsplit=1)
    return rest[0].upper() + rest[1:]


def starting(paragraphs, words):
    """Return the paragraphs that start with `words`."""
    return [paragraph for paragraph in paragraphs if paragraph.startswith(words)]


def read_formulas(text, where):
    """Return the TeX of each formula's line by its name."""
    result: dict[str, str] = {}
    for line in text.splitlines():
        if not line.startswith(INDENT):
            continue
        found = FORMULA.fullmatch(line.strip())
        if not found:
            raise InputError(
                f"{where} has an indented line that is no formula: `{line.strip()}`. "
                "Write it as `name  $TeX$  (shape)`."
            )
        name, tex, _ = found.groups()
        if name in result:
            raise InputError(f"{where} gives {name} twice.")
        if tex.count("{") != tex.count("}"):
            raise InputError(f"{where} has a brace too many or too few in `{tex}`.")
        result[name] = tex
    return result


def mathml(tex):
    """Return TeX as MathML, which a browser shows without a script."""
    return Markup(convert(tex))


def inline(text):
    """Return prose as HTML: `code` as code, TeX between dollars as MathML, the rest escaped."""
    return Markup("").join(marked_up(part) for part in MARKED.split(text))


def marked_up(part):
    """Return code, TeX or the text between them as HTML."""
    if not MARKED.fullmatch(part):
        return escape(part)
    if part.startswith("$"):
        return mathml(part[1:-1])
    return Markup("<code>{}</code>").format(part[1:-1])
