"""What is shown of each quantity and of each run: declared once, for all outputs.

A Column says how a fact about a Finding is written in a table, and what JSON has of it. What
comes from outside, such as names, code and messages, is made safe to show by `plain`.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple
from unicodedata import category

from rich.markup import escape

from handgrad.findings import FAILED, Finding

TABLES = ("terminal", "notebook", "page")


class Colour(NamedTuple):
    """The colour of a verdict: a style of rich, and a colour of CSS."""

    terminal: str
    css: str


COLOURS = {
    "match": Colour("green", "green"),
    "subgradient": Colour("green", "green"),
    "scaled": Colour("green", "green"),
    "yours": Colour("dim", "gray"),
    "missing": Colour("dim", "gray"),
    "inconclusive": Colour("dim", "gray"),
    "inherited": Colour("yellow", "darkorange"),
}
BAD = Colour("bold red", "red")


def colour(verdict):
    """Return the Colour of a verdict."""
    return COLOURS.get(verdict, BAD)


class Column(NamedTuple):
    """A fact about a quantity.

    Attributes:
        name: its key in JSON.
        heading: what stands above it in a table.
        data: takes a Finding and returns what JSON has of it.
        text: takes a Finding and returns what a table has; None where none shows it.
        is_number: whether it stands to the right.
        outputs: where it is: `terminal`, `verbose` (a terminal that shows more), `notebook`,
            `page` and `json`.
        is_optional: whether it is left out where no Finding has it.
    """

    name: str
    heading: str
    data: Callable[[Finding], Any]
    text: Callable[[Finding], str] | None = None
    is_number: bool = False
    outputs: tuple[str, ...] = (*TABLES, "verbose", "json")
    is_optional: bool = False


def number(value):
    """Return a number, or the string "nan", "inf" or "-inf" that JSON has no number for."""
    value = float(value)
    return value if math.isfinite(value) else str(value)


def fields(value):
    """Return a NamedTuple as a dict, with those in it; what is none as it is."""
    if not hasattr(value, "_asdict"):
        return value
    return {name: fields(part) for name, part in value._asdict().items()}


COLUMNS = (
    Column("name", "quantity", lambda f: f.name, lambda f: f.name),
    Column("kind", "kind", lambda f: f.kind, lambda f: f.kind),
    Column(
        "shape",
        "shape",
        lambda f: list(f.shape),
        lambda f: " x ".join(map(str, f.shape)) or "number",
    ),
    Column(
        "difference",
        "difference",
        lambda f: number(f.difference),
        lambda f: f"{f.difference:.2e}",
        is_number=True,
    ),
    Column(
        "tolerance",
        "tolerance",
        lambda f: number(f.tolerance),
        lambda f: f"{f.tolerance:.2e}",
        is_number=True,
    ),
    Column(
        "ratio",
        "ratio",
        lambda f: number(f.ratio),
        lambda f: f"{f.ratio:.3g}",
        is_number=True,
        outputs=(*TABLES, "verbose"),
    ),
    Column(
        "resolution",
        "resolution",
        lambda f: number(f.resolution),
        lambda f: f"{f.resolution:.1e}",
        is_number=True,
        outputs=("verbose", "page", "json"),
    ),
    Column(
        "distinct",
        "distinct",
        lambda f: f.distinct,
        lambda f: "" if f.distinct is None else str(f.distinct),
        is_number=True,
        is_optional=True,
    ),
    Column("verdict", "verdict", lambda f: f.verdict, lambda f: f.verdict),
    Column("line", "line", lambda f: fields(f.line), outputs=("json",)),
    Column("cause", "cause", lambda f: fields(f.cause), outputs=("json",)),
    Column("fix", "fix", lambda f: fields(f.fix), outputs=("json",)),
)


def columns_of(output, findings):
    """Return the Columns that an output has of these Findings."""
    return [
        column
        for column in COLUMNS
        if output in column.outputs
        and not (column.is_optional and all(column.data(f) is None for f in findings))
    ]


def worst(findings):
    """Return the Finding with the largest difference for its tolerance; parameters come last."""
    return max(findings, key=lambda f: (f.verdict in FAILED, f.kind != "parameter", f.ratio))


# What is shown of each run: the heading, and a function of a Report.
RUN_COLUMNS: dict[str, Callable[[Any], str]] = {
    "variant": lambda report: report.variant,
    "device": lambda report: report.device,
    "dtype": lambda report: report.dtype,
    "compared": lambda report: str(sum(f.verdict != "missing" for f in report.findings)),
    "loss": lambda report: "" if report.loss is None else f"{report.loss:.6g}",
    "worst": lambda report: worst(report.findings).name if report.findings else "",
    "difference / tolerance": lambda report: (
        f"{worst(report.findings).difference:.1e} / {worst(report.findings).tolerance:.1e}"
        if report.findings
        else ""
    ),
    "ratio": lambda report: f"{worst(report.findings).ratio:.3g}" if report.findings else "",
    "drift": lambda report: "" if report.drift is None else f"{report.drift.largest:.1e}",
    "verdict": lambda report: report.verdict,
}
RUN_NUMBERS = ("compared", "loss")  # they stand to the right


# Control characters, format ones (they turn the direction of writing, or cannot be seen), halves
# of a character, and the separators of lines and paragraphs.
UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")


LONGEST = 10_000  # characters: no terminal, and no reader, has a use for more in one place


def visible(text: object) -> str:
    r"""Return a text with what cannot be seen as its escape, such as `\x1b`, and not too long."""
    text = str(text)
    if len(text) > LONGEST:
        text = f"{text[: LONGEST // 2]}[... {len(text)} characters ...]{text[-LONGEST // 2 :]}"
    return "".join(
        char.encode("unicode_escape").decode() if category(char) in UNSEEN else char
        for char in text
    )


def plain(text: object) -> str:
    """Return a text as rich markup that shows just that text."""
    return escape(visible(text))


def counted(count, noun, several=None):
    """Return a count and what is counted: `1 quantity`, `2 quantities`."""
    return f"{count} {noun if count == 1 else several or noun + 's'}"
