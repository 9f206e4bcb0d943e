"""Options that commands share, and how they are read."""

import re
from pathlib import Path
from typing import Annotated

import typer

from parity_tests.errors import InputError

DTYPES = ("float64", "float32", "tf32", "bfloat16")


def parse_seed(text):
    """Read a seed: a whole number, 0 or more."""
    text = str(text)
    if not (text.isascii() and text.isdecimal() and len(text) < 20):
        raise typer.BadParameter(f"A seed is a whole number, 0 or more, found {text[:30]!r}.")
    return int(text)


Seed = Annotated[
    int, typer.Option(help="Seed of weights and data, 0 or more.", parser=parse_seed, metavar="N")
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


def parse_size(name, text):
    """Read `64,6,8,8,1` into a variant's sizes by name; the notebook's where `text` is empty."""
    from parity_tests import variants

    if not text:
        return variants.sizes(name)
    if not re.fullmatch(r"-?[0-9]{1,9}(,-?[0-9]{1,9})*", text):
        example = ",".join(map(str, variants.sizes(name).values()))
        raise InputError(
            f"A size is whole numbers with commas between, such as {example}, found {text!r}."
        )
    return variants.sizes_from(name, [int(part) for part in text.split(",")])


def check_dtype(text, others=""):
    """Raise InputError unless `text` is a dtype's name; `others` says what else it may be."""
    if text not in DTYPES:
        raise InputError(f"There is no dtype {text!r}: use one of {', '.join(DTYPES)}{others}.")


def parse_devices(device, dtype):
    """Return pairs of a device and a dtype for what --device and --dtype say.

    Without either, every device that is here in float64 and float32; where a device is named,
    in everything that it computes in. `dtype` has passed `check_dtype`, which needs no torch.
    """
    from parity_tests.compare.devices import available, check_device
    from parity_tests.compare.precision import check_precision, precisions_of

    if device not in (None, "all"):
        check_device(device)
    pairs = []
    for name in available() if device in (None, "all") else [device]:
        if dtype not in (None, "all"):
            check_precision(dtype, name)
            pairs.append((name, dtype))
        elif device or dtype:
            pairs += [(name, chosen) for chosen in precisions_of(name)]
        else:
            pairs += [(name, chosen) for chosen in DTYPES[:2]]
    return pairs
