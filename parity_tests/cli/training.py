"""`handgrad train`."""

from pathlib import Path
from typing import Annotated

import typer

from parity_tests.cli.options import Force, Seed, Size, check_dtype, parse_size
from parity_tests.show.table import console

SHOWN_STEPS = (0, 1, 10, 100, 499)


def train(
    name: Annotated[str, typer.Argument(help="A variant.")],
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1, …")] = "cpu",
    dtype: Annotated[str, typer.Option(help="float64, float32, tf32 or bfloat16.")] = "float64",
    seed: Seed = 0,
    size: Size = "",
    plot: Annotated[
        Path | None, typer.Option(help="Draw the losses into this file, such as losses.png.")
    ] = None,
    force: Force = False,
):
    """Run the notebook's training on both sides and show how far the losses drift apart."""
    from parity_tests import variants
    from parity_tests.show import plot as drawing
    from parity_tests.show.table import drift_conclusion, losses_table

    variants.check_name(name)
    sizes = parse_size(name, size)
    check_dtype(dtype)
    if plot is not None:
        drawing.check_plot(plot, force)
    with console(stderr=True).status("Importing torch"):
        from parity_tests.compare.devices import check_device
        from parity_tests.compare.drift import train_variant
        from parity_tests.compare.precision import check_precision

        check_device(device)
        check_precision(dtype, device)
    drift = train_variant(name, device, dtype, seed, sizes, progress_bars())
    count = len(drift.ours)
    before = count - 500  # a variant may take one step before the loop of 500
    steps = [("before", 0)] * before + [(str(step), step + before) for step in SHOWN_STEPS]
    out = console()
    out.print(f"{name}, {device}, {dtype}, seed {seed}: {count} steps on both sides", "")
    out.print(losses_table(drift, steps), "", drift_conclusion(drift), sep="\n")
    if plot is not None:
        drawing.save_losses(plot, f"{name}, {device}, {dtype}", drift)
        out.print(f"Both curves and their difference are in {plot}.", soft_wrap=True)


def progress_bars():
    """Make a function that shows a progress bar for each side's steps in turn, on a terminal."""
    from rich.progress import track

    titles = iter(("NumPy", "PyTorch"))
    bar_console = console(stderr=True)
    if not bar_console.is_terminal:
        return iter
    return lambda rates: track(rates, next(titles), console=bar_console, transient=True)
