"""Break it: one mistake in each line of a backward pass, and what the check says of it."""

import ast
import re
import textwrap
import types
from dataclasses import replace
from typing import Any, NamedTuple

from handgrad.errors import InputError
from handgrad.load.lines import assignments
from handgrad.pipeline import check
from handgrad.run.hand_written import run_hand_written
from handgrad.show.sentences import verdict_line

# What is looked for in the right-hand side of a line, what stands there instead, and what the
# mistake is. The first that is found is planted, unless what comes out is no Python.
MISTAKES = (
    (r"^(.+) \+ .+$", r"\1", "what comes back the other way is forgotten"),
    (r" \* \(1 - \w+\)$", "", "half of the slope is forgotten"),
    (r" \* \(1 - \w+ \*\* 2\)$", "", "the slope is forgotten"),
    (r" \* \(\w+ > 0\)$", "", "the slope is forgotten"),
    (r"^2(\.0)? \* ", "", "the 2 of the square is forgotten"),
    (r"\.sum\(axis=0\)$", ".mean(axis=0)", "averaged, where the sum is meant"),
    (r"\.dot\((\w+)\.T\)$", r".dot(\1)", "the transposition is forgotten"),
    (r" @ (\w+)\.T$", r" @ \1", "the transposition is forgotten"),
    (r"^(\w+)\.T\.dot\((\w+)\)$", r"\2.T.dot(\1)", "the factors are the wrong way round"),
    (r"^(\w+)\.T @ (\w+)$", r"\2.T @ \1", "the factors are the wrong way round"),
    (r"^(.*)$", r"-(\1)", "the sign is wrong"),  # any line can have this one
)


class Broken(NamedTuple):
    """A line with a mistake: its number, its code, what the mistake is, and what the check says."""

    name: str
    number: int
    code: str
    mistake: str
    said: list[str]


def broken_lines(network):
    """Plant a mistake in each line of a Network's `backward`, one at a time.

    Returns what the check says of each. A mistake that changes nothing is left out.
    """
    source = network.path.read_text(encoding="utf-8").splitlines()
    grads = {name for name in run_hand_written(network) if name.startswith("grad_")}
    found = []
    lines = assignments(network.path, grads)
    for grad, line in sorted(lines.items(), key=lambda pair: pair[1]):
        statement: Any = ast.parse(textwrap.dedent(line.code)).body[0]
        changed, mistake = planted(ast.unparse(statement.value))
        statement.value = ast.parse(changed, mode="eval").body
        wrong = ast.unparse(statement)
        indented = line.code[: len(line.code) - len(line.code.lstrip())] + wrong
        broken = [*source[: line.number - 1], indented, *source[line.last :]]
        if said := answer(network, as_module(network, broken)):
            found.append(Broken(grad, line.number, wrong, mistake, said))
    return found


def planted(right):
    """Return the right-hand side of a line with a mistake in it, and what the mistake is."""
    candidates = (
        (re.sub(pattern, instead, right), mistake)
        for pattern, instead, mistake in MISTAKES
        if re.search(pattern, right)
    )
    return next(found for found in candidates if is_python(found[0]))


def is_python(expression):
    """Say whether this can be the right-hand side of a line."""
    try:
        ast.parse(expression, mode="eval")
    except SyntaxError:
        return False
    return True


def as_module(network, lines):
    """Return a module of the gallery that has these lines for its source."""
    module = types.ModuleType(f"handgrad.manual.{network.name}")
    module.__package__ = "handgrad.manual"
    exec(compile("\n".join(lines), str(network.path), "exec"), vars(module))
    return module


def answer(network, module):
    """Return what the check says of a broken network, line by line; nothing where it is right."""
    try:
        report = check(replace(network, forward=module.forward, backward=module.backward))
    except InputError as error:
        return [str(error).replace(str(network.path), f"manual/{network.name}.py")]
    if report.ok:
        return []
    return [
        *(f"{f.cause.kind}: {f.cause.message}" for f in report.findings if f.cause),
        verdict_line(report),
    ]
