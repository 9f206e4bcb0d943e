"""`handgrad record` and `handgrad diff`."""

from pathlib import Path
from shlex import quote
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


def record(
    path: Annotated[Path, typer.Argument(help="The file to write, such as gpu.safetensors.")],
    names: Annotated[list[str] | None, typer.Argument(help="Variants; all if none.")] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1, …")] = "cpu",
    dtype: Annotated[
        str,
        typer.Option(help="float64, float32, tf32, bfloat16, or all that the device has."),
    ] = "all",
    seed: Seed = 0,
    size: Size = "",
    force: Force = False,
):
    """Write what PyTorch computes on a device into a file, for `handgrad diff` anywhere.

    One pass with all its quantities and the notebook's training, of every variant and dtype;
    with the seed, the weights, the data and the environment, but no host and no user name.
    """
    from parity_tests import variants

    chosen = list(dict.fromkeys(names or variants.VARIANTS))
    for name in chosen:
        variants.check_name(name)
    sizes = {name: parse_size(name, size) for name in chosen}
    if dtype != "all":
        check_dtype(dtype, " or all")
    with console(stderr=True).status("Importing torch") as status:
        from parity_tests.compare.devices import check_device
        from parity_tests.records.environment import environment
        from parity_tests.records.files import check_record_target, write
        from parity_tests.records.take import Record, take

        check_record_target(path, force)
        check_device(device)
        wanted = [(name, dt) for name in chosen for _, dt in parse_devices(device, dtype)]
        runs = []
        for done, (name, dt) in enumerate(wanted, 1):
            status.update(f"{name}, {device}, {dt} ({done} of {len(wanted)})")
            runs.append(take(name, device, dt, seed, sizes[name]))
        write(path, Record(device, environment(device), runs), force)
    console().print(
        f"Wrote {path}: {len(runs)} run{'s' * (len(runs) > 1)} on {device}. "
        f"Compare it, on any machine: handgrad diff {quote(str(path))} OTHER",
        markup=False,
        soft_wrap=True,
    )


def diff(
    first: Annotated[Path, typer.Argument(help="A file of `handgrad record`.")],
    second: Annotated[Path, typer.Argument(help="Another one, of another machine, say.")],
    dtype: Annotated[
        str | None,
        typer.Option(help="Judge by the rounding of this dtype; the coarser one's by default."),
    ] = None,
    verbose: Verbose = False,
    as_json: AsJson = False,
    html: Html = None,
    force: Force = False,
):
    """Compare two records: is it the same computation, and how far do the runs drift apart?

    No GPU is needed. What differs between the two environments is shown first.

    Exit code: 0 all match, 1 a mismatch, 2 bad input.
    """
    if dtype is not None:
        check_dtype(dtype)
    if html is not None:
        check_target(html, force)
        if html.resolve() in (first.resolve(), second.resolve()):
            raise InputError(f"{html} is one of the records: choose another name for the report.")
    with console(stderr=True).status("Importing torch") as status:
        from parity_tests.compare.precision import PRECISIONS
        from parity_tests.records.differences import compare_records
        from parity_tests.records.files import read

        def progress(found):
            for done, pair in enumerate(found, 1):
                status.update(f"{pair[0].variant}, {pair[0].dtype} ({done} of {len(found)})")
                yield pair

        found = compare_records(read(first), read(second), PRECISIONS.get(dtype), progress)
    titles = (first.name, second.name)
    if first.name == second.name:
        titles = (str(first), str(second))
    if html is not None:
        from parity_tests.show.page import write_diff

        write_diff(html, titles, found, force)
    if as_json:
        from parity_tests.show.as_json import diff_json

        print(diff_json(found))
    else:
        from parity_tests.show.records import print_diff

        print_diff(console(), titles, found, verbose)
    if html is not None:
        console(stderr=True).print(f"The report is in {html}.", markup=False, soft_wrap=True)
    raise typer.Exit(0 if all(report.ok for report in found.reports) else 1)
