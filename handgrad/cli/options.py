"""Options that commands share."""

from pathlib import Path
from typing import Annotated

import typer

Seed = Annotated[str, typer.Option(help="Seed of weights and data, 0 or more.", metavar="N")]
Size = Annotated[
    str, typer.Option(help="Sizes in the order of `handgrad list`, such as 64,6,8,8,1.")
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show every quantity.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Html = Annotated[
    Path | None, typer.Option(help="Write a report into this file, such as report.html.")
]
Force = Annotated[bool, typer.Option("--force", help="Write over a file that is there.")]
