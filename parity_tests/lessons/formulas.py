"""The derivation in a module's docstring, taken apart: a stand-in until the real one is merged."""

import inspect
import re
from typing import NamedTuple


class Derivation(NamedTuple):
    """What the docstring of a module of `manual/` says."""

    title: str
    new: str
    formulas: dict[str, str]
    steps: list[tuple[str, list[str]]]
    notes: list[str]
    forward: str
    backward: str


def derivation(module):
    """Return the Derivation that a module's docstring gives."""
    text = inspect.cleandoc(module.__doc__)
    title, new, *rest = text.split("\n\n")
    found = re.findall(r"^ {4,}(\w+) += (.+?)(?: {3,}.*)?$", text, re.MULTILINE)
    blocks = re.split(r"\n\d\. ", next(part for part in rest if part.startswith("1. ")))
    steps = []
    for block in blocks:
        names = re.findall(r"^ {4,}(grad_\w+) +=", block, re.MULTILINE)
        prose = re.split(r"\n {4,}", block.removeprefix("1. "))[0]
        steps.append((" ".join(prose.split()), names))
    forward, backward = (
        next(part for part in rest if part.startswith(word)) for word in ("Forward", "Backward")
    )
    formulas = {n: rf"\text{{{n} = {f}}}" for n, f in found}
    return Derivation(title, new, formulas, steps, rest[-1:], forward, backward)
