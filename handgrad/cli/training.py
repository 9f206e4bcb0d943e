"""`handgrad train`."""

from pathlib import Path
from typing import Annotated

import typer

from handgrad.cli.options import Force, Seed, Size
from handgrad.load import gallery
from handgrad.show.table import console, say


def train(
    name: Annotated[str, typer.Argument(help="A network of the gallery.")],
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1, …")] = "cpu",
    dtype: Annotated[str, typer.Option(help="float64, float32, tf32 or bfloat16.")] = "float64",
    seed: Seed = "0",
    size: Size = "",
    plot: Annotated[
        Path | None, typer.Option(help="Draw the losses into this file, such as losses.png.")
    ] = None,
    force: Force = False,
):
    """Run a network's training on both sides and show how far the losses drift apart."""
    from handgrad.show import plot as drawing
    from handgrad.show.table import drift_conclusion, losses_table

    gallery.check_name(name)
    rates = gallery.learning_rates(name)
    sizes, start = gallery.parse_sizes(name, size), gallery.parse_seed(seed)
    gallery.check_dtype(dtype)
    if plot is not None:
        drawing.check_plot(plot, force)
    with console(stderr=True).status("Importing torch"):
        from handgrad.run.precision import check_device, check_precision
        from handgrad.train.drift import train_both_sides

        check_device(device)
        check_precision(dtype, device)
        network = gallery.load(name, dtype, start, sizes)
    drift = train_both_sides(network, rates, dtype, device, progress_bars())
    out = console()
    out.print(f"{name}, {device}, {dtype}, seed {start}: {len(rates)} steps on both sides", "")
    out.print(losses_table(drift, shown_steps(rates)), "", drift_conclusion(drift), sep="\n")
    if plot is not None:
        drawing.save_losses(plot, f"{name}, {device}, {dtype}", drift)
        say(f"Both curves and their difference are in {plot}.")


def shown_steps(rates):
    """Return the steps to show, with their labels: two, each ten times as far, and the last."""
    last = len(rates) - 1
    steps = [*(step for step in (0, 1, 10, 100, 1000) if step < last), last]
    return [(str(step), step) for step in steps]


def progress_bars():
    """Make a function that shows a progress bar for each side's steps in turn, on a terminal."""
    from rich.progress import track

    titles = iter(("NumPy", "PyTorch"))
    bar_console = console(stderr=True)
    if not bar_console.is_terminal:
        return iter
    return lambda rates: track(rates, next(titles), console=bar_console, transient=True)
