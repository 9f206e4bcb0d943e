"""Several ranks, each with its rows of the batch, against `manual` on the whole batch.

    torchrun --nproc-per-node 2 -m handgrad.record.distributed [VARIANT ...]

`DistributedDataParallel` (DDP) and `fully_shard` (FSDP2) average the gradients of the ranks. The
loss here is a sum over the rows, so each rank has to multiply its own by the number of ranks;
what comes of it without that is shown as well. Rank 0 alone prints, and exits with the verdict:
torchrun passes a 0 on, and makes a 1 of all else.
"""

import os
import sys
from contextlib import contextmanager
from typing import Annotated, cast

import numpy as np
import torch
import torch.distributed as dist
import typer
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor
from torch.nn.parallel import DistributedDataParallel

from handgrad.compare.judge import Steps, compare, judge_steps, largest_difference, ratio
from handgrad.compare.tolerance import Noise
from handgrad.errors import InputError
from handgrad.explain.causes import explain
from handgrad.findings import Finding
from handgrad.load import gallery
from handgrad.run.hand_written import named_inputs, run_hand_written
from handgrad.run.perturb import perturbed_runs
from handgrad.run.precision import FLOAT32, FLOAT64, arithmetic, precision_of
from handgrad.run.reference import (
    as_tensor,
    oriented,
    path_of,
    put_parameters,
    run_reference,
    to_numpy,
)
from handgrad.show.plain import plain
from handgrad.show.table import console, new_table, verdict
from handgrad.train.drift import Unpacking, train_hand_written, weight_tolerances

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
    networks = {name: load(name, seed, size, dtype) for name in names or gallery.GALLERY}
    place, ranks = choose_device(device), int(os.environ["WORLD_SIZE"])
    runs = {}
    precision = DTYPES[dtype]
    with arithmetic(precision, place.type), process_group(place) as add_up:
        for name, network in networks.items():
            for way, wrap in ways(place).items():
                first, weights = train_together(wrap, network, steps, place, ranks, add_up)
                unscaled, _ = train_together(wrap, network, 1, place, 1, add_up)
                runs[name, way] = first, weights, unscaled
    if os.environ["RANK"] == "0":
        console().print(f"ranks {ranks}, {place.type}, {dtype}, seed {seed}, steps {steps}")
        raise typer.Exit(0 if show(networks, runs, ranks, steps) else 1)


def load(name, seed, size, dtype):
    """Load a network of the gallery; raise InputError where a name or a number is wrong."""
    gallery.check_name(name)
    if dtype not in DTYPES:
        raise InputError(f"There is no dtype {dtype!r} to train in: use {' or '.join(DTYPES)}.")
    sizes, ranks = gallery.parse_sizes(name, size), int(os.environ["WORLD_SIZE"])
    if sizes["n"] < ranks:
        raise InputError(f"{name} has n={sizes['n']} rows for {ranks} ranks: start fewer ranks.")
    return gallery.load(name, dtype, gallery.parse_seed(seed), sizes)


def choose_device(text):
    """Return where this rank computes: on a GPU of its own where each rank here can have one.

    Raises InputError where `text` is neither empty nor a device, or is cuda and GPUs are missing.
    """
    ranks, gpus = int(os.environ["LOCAL_WORLD_SIZE"]), torch.cuda.device_count()
    if text not in ("", "cpu", "cuda"):
        raise InputError(f"There is no device {text!r} to train on: use cpu or cuda.")
    if text == "cuda" and gpus < ranks:
        raise InputError(f"nccl takes a GPU per rank, found {gpus} of {ranks}: use --device cpu.")
    rank = int(os.environ["LOCAL_RANK"])
    return torch.device("cpu" if text == "cpu" or gpus < ranks else f"cuda:{rank}")


@contextmanager
def process_group(place):
    """Join the ranks that torchrun started; leave them at the end, whatever happens.

    Yields a function that adds a number up over the ranks. Its tensor outlives the group: where a
    tensor that was reduced is gone before, the threads of PyTorch 2.6 and 2.7 can deadlock.
    """
    total = torch.zeros((), dtype=torch.float64, device=place)

    def add_up(number):
        dist.all_reduce(total.fill_(number))
        return to_numpy(total)

    if place.type == "cuda":
        torch.cuda.set_device(place)
    dist.init_process_group("nccl" if place.type == "cuda" else "gloo")
    try:
        yield add_up
    finally:
        dist.destroy_process_group()


def ways(place):
    """Return the functions that share a model out to the ranks, by what they are called."""

    def fsdp2(model):
        return fully_shard(model, mesh=init_device_mesh(place.type, (dist.get_world_size(),)))

    if place.type == "cpu" and not hasattr(torch.cpu.Stream, "record_event"):  # PyTorch 2.6
        return {"DDP": DistributedDataParallel}
    return {"DDP": DistributedDataParallel, "FSDP2": fsdp2}


def train_together(wrap, network, steps, place, times, add_up):
    """Train a network's reference on this rank's rows, with the loss multiplied by `times`.

    Every rank has to call this. Returns what the ranks have together, as dicts of arrays: the
    first step's loss and gradients, and the weights at the end.
    """
    dtype = precision_of(network.params).torch
    reference = gallery.build_reference(network.name, network.sizes)
    model = reference.model.to(place, dtype)
    put_parameters(network, dict(model.named_parameters()), dtype, place)
    for parameter in model.parameters():
        parameter.data = parameter.data.contiguous()  # FSDP2 takes no transposed ones
    x = tuple(as_tensor(rows_of(x), dtype, place) for x in named_inputs(network.x).values())
    y = as_tensor(rows_of(network.y), dtype, place)
    rates = gallery.learning_rates(network.name)[:steps]
    wrapped = wrap(Unpacking(model))
    train = gallery.imported("torch_ref.training").train

    def loss_fn(output, y):
        return times * reference.loss_fn(output, y)

    losses = train(wrapped, loss_fn, x, y, rates[:1])
    parameters = dict(model.named_parameters())
    grads = gather(reference, {path: w.grad for path, w in parameters.items()})
    first = {"loss": add_up(losses[0] / times), **{f"grad_{k}": w for k, w in grads.items()}}
    train(wrapped, loss_fn, x, y, rates[1:])
    return first, gather(reference, parameters)


def rows_of(array):
    """Return this rank's rows of the batch; where they do not divide evenly, one more or less."""
    return np.array_split(array, dist.get_world_size())[dist.get_rank()]


def gather(reference, tensors):
    """Put a tensor for each parameter's path together from all ranks' shards; return as arrays."""
    gathered = {}
    for name, entry in reference.parameters.items():
        tensor = tensors[path_of(entry, tensors)]
        whole = tensor.full_tensor() if isinstance(tensor, DTensor) else tensor
        gathered[name] = to_numpy(oriented(whole, entry, tensors))
    return gathered


def judge_run(network, first, weights, steps):
    """Compare with the whole batch by hand; return lists of Findings, by what they are on."""
    precision = precision_of(network.params)
    exact = run_reference(network, FLOAT64)
    draws = perturbed_runs(network, precision, exact, {})
    noise = Noise(exact.quantities, draws, precision, network.params).draw_all()
    found = compare(run_hand_written(network), {**exact.quantities, **first}, noise)
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
            causes_table(networks, {key: plain for key, (*_, plain) in runs.items()}),
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
            console(stderr=True).print(f"Error: {message}", markup=False, soft_wrap=True)
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
