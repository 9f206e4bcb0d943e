"""Several ranks, each with its rows of the batch, against `manual` on the whole batch.

    torchrun --nproc-per-node 2 -m handgrad.record.distributed [VARIANT ...]

`DistributedDataParallel` (DDP) and `fully_shard` (FSDP2) average the gradients of the ranks. The
loss here is a sum over the rows, so each rank has to multiply its own by the number of ranks;
what comes of it without that is shown as well. Rank 0 alone prints, and exits with the verdict:
torchrun passes a 0 on, and makes a 1 of all else.
"""

import os
import sys
from functools import partial
from typing import Annotated, cast

import numpy as np
import torch.distributed as dist
import typer

from handgrad.compare.judge import compare, judge_steps, ratio
from handgrad.compare.steps import Steps
from handgrad.compare.tolerance import largest_difference, noise_of
from handgrad.errors import InputError
from handgrad.explain.causes import explain
from handgrad.findings import Finding
from handgrad.load import gallery
from handgrad.record import sharing
from handgrad.run.hand_written import run_hand_written
from handgrad.run.precision import FLOAT32, FLOAT64, arithmetic, precision_of
from handgrad.show.columns import plain
from handgrad.show.table import console, new_table, say, verdict
from handgrad.train.drift import check_trainable, train_hand_written, weight_tolerances

DTYPES = {precision.name: precision for precision in (FLOAT64, FLOAT32)}
START = "torchrun --nproc-per-node 2 -m handgrad.record.distributed"

# Any wrong use of the command line; typer exports just the most common kind of it.
UsageError = cast(type[typer.BadParameter], typer.BadParameter.__base__)

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def distributed(
    names: Annotated[list[str] | None, typer.Argument(help="Networks; all if none.")] = None,
    steps: Annotated[int, typer.Option(help="Steps of training.", min=1, max=500)] = 20,
    seed: Annotated[str, typer.Option(help="Seed of weights and data, 0 or more.")] = "0",
    size: Annotated[str, typer.Option(help="Sizes, such as 64,6,8,8,1.")] = "",
    dtype: Annotated[str, typer.Option(help="float64 or float32.")] = "float64",
    device: Annotated[str, typer.Option(help="cpu, or cuda with a GPU for each rank.")] = "",
):
    """Train networks of the gallery on several ranks, with DDP and FSDP2; compare with NumPy.

    Start it with torchrun. Exit code of rank 0: 0 all match, 1 a mismatch, 2 bad input.
    """
    if not dist.is_torchelastic_launched():
        raise InputError(f"Several processes are needed, so start it as {START}.")
    chosen = names or [name for name in gallery.GALLERY if gallery.is_trained(name)]
    networks = {name: load(name, seed, size, dtype, steps) for name in chosen}
    place, ranks = sharing.choose_device(device), int(os.environ["WORLD_SIZE"])
    runs = {}
    precision = DTYPES[dtype]
    with arithmetic(precision, place.type), sharing.process_group(place) as add_up:
        for name, network in networks.items():
            for way, wrap in sharing.ways(place).items():
                train = partial(sharing.train_together, wrap, network, place, add_up)
                first, weights = train(steps, times=ranks)
                unscaled, _ = train(1, times=1)
                runs[name, way] = first, weights, unscaled
    if os.environ["RANK"] == "0":
        console().print(f"ranks {ranks}, {place.type}, {dtype}, seed {seed}, steps {steps}")
        raise typer.Exit(0 if show(networks, runs, ranks, steps) else 1)


def load(name, seed, size, dtype, steps):
    """Load a network of the gallery; raise InputError where it cannot be trained like this."""
    gallery.check_name(name)
    if steps > (most := len(gallery.learning_rates(name))):
        raise InputError(f"{name} is trained for {most} steps, found --steps {steps}: take fewer.")
    if dtype not in DTYPES:
        raise InputError(f"There is no dtype {dtype!r} to train in: use {' or '.join(DTYPES)}.")
    sizes, ranks = gallery.parse_sizes(name, size), int(os.environ["WORLD_SIZE"])
    if sizes["n"] < ranks:
        raise InputError(f"{name} has n={sizes['n']} rows for {ranks} ranks: start fewer ranks.")
    network = gallery.load(name, dtype, gallery.parse_seed(seed), sizes)
    check_trainable(network)
    return network


def judge_run(network, first, weights, steps):
    """Compare with the whole batch by hand; return lists of Findings, by what they are on."""
    precision = precision_of(network.params)
    noise = noise_of(network, precision).draw_all()
    found = compare(run_hand_written(network), {**noise.exact, **first}, noise)
    loss, *grads = (found[name] for name in first)
    rates = gallery.learning_rates(network.name)[:steps]
    expected, _ = train_hand_written(network, rates)
    tolerance = weight_tolerances(network, rates, precision)
    after = [
        weight_finding(name, weights[name], expected[name], tolerance[name]) for name in weights
    ]
    return {"loss": [loss], "gradients": grads, "weights": after}


def weight_finding(name, actual, expected, tolerance):
    """Return the Finding on a weight after the training."""
    difference = largest_difference(actual, expected, overflowed=tolerance == np.inf)
    return Finding(
        name=name,
        kind="parameter",
        shape=expected.shape,
        difference=difference,
        tolerance=tolerance,
        ratio=ratio(difference, tolerance),
        resolution=tolerance / float(np.abs(expected).max(initial=np.finfo(float).tiny)),
        verdict="match" if difference <= tolerance else "mismatch",
    )


def causes_table(networks, firsts):
    """Draw what is wrong with the first gradients of each run: a line for each kind of cause."""
    table = new_table()
    for heading in ("variant", "way", "cause", "gradients", "the first of them"):
        table.add_column(heading, no_wrap=heading != "the first of them")
    for (name, way), first in firsts.items():
        network = networks[name]
        actual = {**run_hand_written(network), **first}
        steps = Steps(network, actual, precision_of(network.params))
        wrong = [f.name for f in judge_steps(steps) if f.verdict == "wrong" and f.name in first]
        causes = [explain(steps, w) for w in wrong if w != "loss"]
        for kind in dict.fromkeys(cause.kind for cause in causes):
            alike = [cause.message for cause in causes if cause.kind == kind]
            count = f"{len(alike)} of {len(network.params)}"
            table.add_row(name, way, kind, count, plain(alike[0]))
    return table


def show(networks, runs, ranks, steps):
    """Print the runs against `manual`, and what is wrong with the plain ones; say if all match."""
    out, table, mismatched, overflows = console(), new_table(), [], False
    for heading in ("variant", "way", "compared", "worst", "difference / tolerance", "verdict"):
        table.add_column(heading, no_wrap="/" not in heading)
    for (name, way), (first, weights, _) in runs.items():
        for what, findings in judge_run(networks[name], first, weights, steps).items():
            worst = max(findings, key=lambda f: (f.verdict != "match", f.ratio))
            difference = f"{worst.difference:.1e} / {worst.tolerance:.1e}"
            table.add_row(name, way, what, worst.name, difference, verdict(worst.verdict))
            if worst.verdict != "match":
                mismatched.append(f"{what} of {name} with {way}")
            overflows = overflows or np.isinf(worst.tolerance)
    out.print(table, "")
    if mismatched:
        out.print(causes_table(networks, {key: first for key, (first, *_) in runs.items()}), "")
        out.print(f"No match: {'; '.join(mismatched)}.")
    else:
        out.print("All match, each within what rounding allows.")
    if overflows:
        out.print("The weights overflow: take fewer steps, or other sizes.")
    if all(way != "FSDP2" for _, way in runs):
        out.print("FSDP2 is left out: on the CPU it needs PyTorch 2.7 or newer.")
    if ranks == 1:
        out.print("With 1 rank there is nothing to average.")
    else:
        out.print(
            f"\nThe same first step, but no rank multiplies its loss by {ranks}:",
            causes_table(networks, {key: unscaled for key, (*_, unscaled) in runs.items()}),
            f"\nDDP and FSDP2 average the ranks' gradients, and the average of {ranks} sums is "
            f"1/{ranks} of the whole sum: multiply each rank's loss by the number of ranks.",
            sep="\n",
        )
    return not mismatched


@np.errstate(over="ignore", invalid="ignore")  # manual may overflow, and then PyTorch does too
def main():
    """Run the command line; where the input is bad, rank 0 says so in one sentence."""
    try:
        sys.exit(app(prog_name=START, standalone_mode=False))
    except (InputError, UsageError) as error:
        if os.environ.get("RANK", "0") == "0":
            message = error.format_message() if isinstance(error, UsageError) else str(error)
            say(f"Error: {message}", stderr=True)
            sys.exit(2)


if __name__ == "__main__":
    status = 0
    try:
        main()
    except SystemExit as exit_:
        status = int(exit_.code or 0)
    # Now and then a run aborts while PyTorch takes its threads down at the end: leave before.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
