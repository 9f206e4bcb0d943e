"""Options that commands share, and how they are read."""

from pathlib import Path
from typing import Annotated

import typer

from handgrad.errors import InputError
DTYPES = ("float64", "float32", "tf32", "bfloat16")

Seed = Annotated[
    str, typer.Option(help="Seed of weights and data, 0 or more.", metavar="N")
]
Size = Annotated[
    str, typer.Option(help="Sizes in the order of `handgrad list`, such as 64,6,8,8,1.")
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show every quantity.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Html = Annotated[
    Path | None, typer.Option(help="Write a report into this file, such as report.html.")
]
Force = Annotated[bool, typer.Option("--force", help="Write over a file that is there.")]


def check_dtype(text, *others):
    """Raise InputError unless `text` is a dtype's name, None, or one of `others`."""
    if text not in (None, *DTYPES, *others):
        known = ", ".join(DTYPES) + "".join(f" or {other}" for other in others)
        raise InputError(f"There is no dtype {text!r}: use one of {known}.")
