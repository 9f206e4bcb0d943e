"""`handgrad record` and `handgrad diff`."""

from os.path import realpath
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from handgrad.cli.options import AsJson, Force, Html, Seed, Size, Verbose
from handgrad.errors import InputError
from handgrad.load import gallery
from handgrad.show.table import console, say
from handgrad.show.target import check_target


def record(
    path: Annotated[Path, typer.Argument(help="The file to write, such as gpu.safetensors.")],
    names: Annotated[
        list[str] | None, typer.Argument(help="Networks of the gallery; all if none.")
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1, …")] = "cpu",
    dtype: Annotated[
        str,
        typer.Option(help="float64, float32, tf32, bfloat16, or all that the device has."),
    ] = "all",
    seed: Seed = "0",
    size: Size = "",
    force: Force = False,
):
    """Write what PyTorch computes on a device into a file, for `handgrad diff` anywhere.

    One pass with all its quantities and the network's training, of every network and dtype;
    with the seed, the weights, the data and the environment, but no host and no user name.
    """
    chosen = list(dict.fromkeys(names or gallery.GALLERY))
    for name in chosen:
        gallery.check_name(name)
    sizes = {name: gallery.parse_sizes(name, size) for name in chosen}
    start = gallery.parse_seed(seed)
    gallery.check_dtype(dtype, "all")
    with console(stderr=True).status("Importing torch") as status:
        from handgrad.record.environment import environment
        from handgrad.record.files import check_record_target, write
        from handgrad.record.take import Record, take
        from handgrad.run.precision import check_device, places

        check_record_target(path, force)
        check_device(device)
        wanted = [(name, dt) for name in chosen for _, dt in places(device, dtype)]
        runs = []
        for done, (name, dt) in enumerate(wanted, 1):
            status.update(f"{name}, {device}, {dt} ({done} of {len(wanted)})")
            runs.append(take(name, device, dt, start, sizes[name]))
        write(path, Record(device, environment(device), runs), force)
    say(
        f"Wrote {path}: {len(runs)} run{'s' * (len(runs) > 1)} on {device}. "
        f"Compare it, on any machine: handgrad diff {quote(str(path))} OTHER"
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
        gallery.check_dtype(dtype)
    if html is not None:
        check_target(html, force)
        if realpath(html) in (realpath(first), realpath(second)):
            raise InputError(f"{html} is one of the records: choose another name for the report.")
    with console(stderr=True).status("Importing torch") as status:
        from handgrad.record.diff import compare_records
        from handgrad.record.files import read
        from handgrad.run.precision import PRECISIONS

        def progress(found):
            for done, pair in enumerate(found, 1):
                status.update(f"{pair[0].variant}, {pair[0].dtype} ({done} of {len(found)})")
                yield pair

        found = compare_records(read(first), read(second), PRECISIONS.get(dtype), progress)
    titles = (first.name, second.name)
    if first.name == second.name:
        titles = (str(first), str(second))
    if html is not None:
        from handgrad.show.html import write_diff

        write_diff(html, titles, found, force)
    if as_json:
        from handgrad.show.json import diff_json

        print(diff_json(found))
    else:
        from handgrad.show.diff import print_diff

        print_diff(console(), titles, found, verbose)
    if html is not None:
        say(f"The report is in {html}.", stderr=True)
    raise typer.Exit(0 if all(report.ok for report in found.reports) else 1)
