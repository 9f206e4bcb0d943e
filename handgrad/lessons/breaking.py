"""Break it: one mistake in each line of a backward pass, and what the check says of it."""

import ast
import re
import textwrap
import types
from pathlib import Path
from typing import NamedTuple

from handgrad.errors import InputError
from handgrad.load.lines import assignments
from handgrad.pipeline import compare
from handgrad.show.table import verdict_line

# What is looked for in the right-hand side of a line, what stands there instead, and what the
# mistake is. The first that is found is planted.
MISTAKES = (
    (r" \* \(1 - \w+\)$", "", "half of the slope is forgotten"),
    (r" \* \(\w+ > 0\)$", "", "the slope is forgotten"),
    (r"^2\.0 \* ", "", "the 2 of the square is forgotten"),
    (r"\.sum\(axis=0\)$", ".mean(axis=0)", "averaged, where the sum is meant"),
    (r"\.dot\((\w+)\.T\)$", r".dot(\1)", "the transposition is forgotten"),
    (r"^(\w+)\.T\.dot\((\w+)\)$", r"\2.T.dot(\1)", "the factors are the wrong way round"),
    (r"^(.*)$", r"-(\1)", "the sign is wrong"),  # any line can have this one
)


class Broken(NamedTuple):
    """A line with a mistake: its number, its code, what the mistake is, and what the check says."""

    name: str
    number: int
    code: str
    mistake: str
    said: list[str]


def broken_lines(name, params, x, y, network):
    """Plant a mistake in each line of `backward`, one at a time; return what the check says.

    A mistake that changes nothing is left out.
    """
    source = Path(network.__file__).read_text(encoding="utf-8").splitlines()
    grads = {f"grad_{key}" for key in (*params, *network.forward(params, x, y))}
    found = []
    for grad, line in sorted(assignments(network.__file__, grads).items(), key=lambda kv: kv[1]):
        left, _, right = ast.unparse(ast.parse(textwrap.dedent(line.code))).partition(" = ")
        changed, mistake = planted(right)
        wrong = f"{left} = {changed}"
        indented = line.code[: len(line.code) - len(line.code.lstrip())] + wrong
        lines = [*source[: line.number - 1], indented, *source[line.last :]]
        said = answer(name, params, x, y, as_module(network, lines))
        if said:
            found.append(Broken(grad, line.number, wrong, mistake, said))
    return found


def planted(right):
    """Return the right-hand side of a line with a mistake in it, and what the mistake is."""
    pattern, instead, mistake = next(m for m in MISTAKES if re.search(m[0], right))
    return re.sub(pattern, instead, right), mistake


def as_module(network, lines):
    """Return a module like `network` with these lines."""
    module = types.ModuleType(network.__name__)
    module.__file__ = network.__file__
    exec(compile("\n".join(lines), network.__file__, "exec"), vars(module))
    return module


def answer(name, params, x, y, network):
    """Return what the check says of a broken network, line by line; nothing where it is right."""
    try:
        report = compare(name, params, x, y, network=network)
    except InputError as error:
        return [str(error).replace(network.__file__, f"manual/{name}.py")]
    if report.ok:
        return []
    return [
        *(f"{f.cause.kind}: {f.cause.message}" for f in report.findings if f.cause),
        verdict_line(report),
    ]
