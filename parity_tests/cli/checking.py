"""`handgrad check`, `list` and `new`."""

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated

import typer

from parity_tests.cli.options import (
    AsJson,
    Force,
    Html,
    Seed,
    Size,
    Verbose,
    check_dtype,
    parse_devices,
    parse_size,
)
from parity_tests.errors import InputError
from parity_tests.show.table import console
from parity_tests.targets import check_target


def check(
    names: Annotated[
        list[str] | None, typer.Argument(help="Variants, or your own files; all variants if none.")
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda, cuda:1, …, or all that are here, the default.")
    ] = None,
    dtype: Annotated[
        str | None,
        typer.Option(
            help="float64, float32, tf32, bfloat16 or all that the device has. The default is "
            "float64 and float32, and all where --device is given."
        ),
    ] = None,
    seed: Seed = 0,
    size: Size = "",
    repeat: Annotated[
        int | None,
        typer.Option(
            help="Run PyTorch so many times, and count the different results.", metavar="N", min=2
        ),
    ] = None,
    verbose: Verbose = False,
    as_json: AsJson = False,
    html: Html = None,
    force: Force = False,
):
    """Check hand-written gradients, quantity by quantity, against PyTorch.

    The networks of the notebook by their names; --device, --dtype, --seed, --size and --repeat
    are theirs. Or a derivation of your own, FILE.py (`handgrad new` writes one to start from) or
    NOTEBOOK.ipynb: checking a file runs it.

    Exit code: 0 all match, 1 a mismatch, 2 bad input.
    """
    from parity_tests import variants

    files = [name for name in names or [] if is_file(name)]
    chosen = [name for name in names or variants.VARIANTS if name not in files]
    for name in chosen:
        variants.check_name(name)
    sizes = {name: parse_size(name, size) for name in chosen}
    if dtype not in (None, "all"):
        check_dtype(dtype, " or all")
    if html is not None:
        check_target(html, force)
    with console(stderr=True).status("Importing torch") as status:
        from parity_tests.own.paths import check_path
        from parity_tests.run import compare_variant
        from parity_tests.show.table import print_reports

        runs = [(name, *pair) for name in chosen for pair in parse_devices(device, dtype)]
        reports = []
        for done, (name, dev, dt) in enumerate(runs, 1):
            status.update(f"{name}, {dev}, {dt} ({done} of {len(runs)})")
            reports.append(compare_variant(name, dev, dt, seed, sizes[name], repeat or 0))
        own = []
        for name in files:
            status.update(f"Running {name}")
            with redirect_stdout(sys.stderr if as_json else sys.stdout):
                own.append(check_path(name))
    if html is not None:
        from parity_tests.records.environment import environment
        from parity_tests.show.page import write_check

        write_check(html, reports + own, environment(), force)
    if as_json:
        from parity_tests.show.as_json import to_json

        print(to_json(reports + own))
    else:
        print_reports(console(), reports, own, verbose)
    if html is not None:
        console(stderr=True).print(f"The report is in {html}.", markup=False, soft_wrap=True)
    raise typer.Exit(0 if all(report.ok for report in reports + own) else 1)


def is_file(name):
    """Say whether a name on the command line is a file rather than a variant."""
    return name.endswith((".py", ".ipynb")) or "/" in name or "." in name


def new(path: Annotated[Path, typer.Argument(help="The file to write, such as mine.py.")]):
    """Write a small derivation that works, to put your own in its place."""
    template = Path(__file__).parents[1] / "own" / "template.py"
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(template.read_text(encoding="utf-8"))
    except FileExistsError:
        raise InputError(f"{path} is there already: choose another name.") from None
    except OSError as error:
        raise InputError(f"Cannot write {path}: {error.strerror}.") from None
    console().print(f"Wrote {path}. Now: handgrad check {path}", markup=False, soft_wrap=True)


def list_variants():
    """Name the variants, with the notebook's cells and sizes."""
    from parity_tests import variants
    from parity_tests.show.table import variants_table

    rows = [(name, cells, variants.sizes(name)) for name, cells in variants.VARIANTS.items()]
    console().print(variants_table(rows))
