"""Several ranks, each with its rows of the batch, against `manual` on the whole batch.

    torchrun --nproc-per-node 2 -m parity_tests.distributed [VARIANT ...]

`DistributedDataParallel` (DDP) and `fully_shard` (FSDP2) average the gradients of the ranks. The
loss here is a sum over the rows, so each rank has to multiply its own by the number of ranks;
what comes of it without that is shown as well. Rank 0 alone prints, and exits with the verdict:
torchrun passes a 0 on, and makes a 1 of all else.
"""

import os
import sys
from contextlib import contextmanager
from typing import Annotated

import numpy as np
import torch
import torch.distributed as dist
import typer
from rich.markup import escape
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor
from torch.nn.parallel import DistributedDataParallel

from manual.training import train
from parity_tests import variants
from parity_tests.cli.main import UsageError, fail
from parity_tests.cli.options import Seed, Size, parse_size
from parity_tests.compare.drift import weight_tolerances
from parity_tests.compare.judge import judge
from parity_tests.compare.noise import float64_traces, roundings, tolerances
from parity_tests.compare.precision import FLOAT32, FLOAT64, arithmetic, precision_of
from parity_tests.compare.trace import like, manual_trace, to_numpy
from parity_tests.compare.weights import to_notebook
from parity_tests.errors import InputError
from parity_tests.explain.verdicts import verdicts
from parity_tests.run import build_reference
from parity_tests.show.table import console, new_table, verdict
from torch_ref.training import train as torch_train

DTYPES = {precision.name: precision for precision in (FLOAT64, FLOAT32)}
START = "torchrun --nproc-per-node 2 -m parity_tests.distributed"

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def distributed(
    names: Annotated[list[str] | None, typer.Argument(help="Variants; all if none.")] = None,
    steps: Annotated[int, typer.Option(help="Steps of training.", min=1, max=500)] = 20,
    seed: Seed = 0,
    size: Size = "",
    dtype: Annotated[str, typer.Option(help="float64 or float32.")] = "float64",
    device: Annotated[str, typer.Option(help="cpu, or cuda with a GPU for each rank.")] = "",
):
    """Train variants on several ranks, with DDP and FSDP2, and compare with NumPy on one.

    Start it with torchrun. Exit code of rank 0: 0 all match, 1 a mismatch, 2 bad input.
    """
    if not dist.is_torchelastic_launched():
        raise InputError(f"Several processes are needed, so start it as {START}.")
    batches = {name: draw(name, seed, size, dtype) for name in names or variants.VARIANTS}
    place, ranks = choose_device(device), int(os.environ["WORLD_SIZE"])
    runs = {}
    precision = DTYPES[dtype]
    with arithmetic(precision, place.type), process_group(place) as add_up:
        for name, batch in batches.items():
            for way, wrap in ways(place).items():
                first, weights = train_together(wrap, name, batch, steps, place, ranks, add_up)
                plain, _ = train_together(wrap, name, batch, 1, place, 1, add_up)
                runs[name, way] = first, weights, plain
    if os.environ["RANK"] == "0":
        console().print(f"ranks {ranks}, {place.type}, {dtype}, seed {seed}, steps {steps}")
        raise typer.Exit(0 if show(batches, runs, ranks, steps) else 1)


def draw(name, seed, size, dtype):
    """Draw `params, x, y` of a variant; raise InputError where its name or a number is wrong."""
    variants.check_name(name)
    if dtype not in DTYPES:
        raise InputError(f"There is no dtype {dtype!r} to train in: use {' or '.join(DTYPES)}.")
    sizes, ranks = parse_size(name, size), int(os.environ["WORLD_SIZE"])
    if sizes["n"] < ranks:
        raise InputError(f"{name} has n={sizes['n']} rows for {ranks} ranks: start fewer ranks.")
    return variants.draw(name, seed, np.dtype(dtype), **sizes)


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


def train_together(wrap, name, batch, steps, place, times, add_up):
    """Train a variant's reference on this rank's rows, with the loss multiplied by `times`.

    `batch` is the whole `params, x, y`. Every rank has to call this. Returns what the ranks have
    together, as dicts of arrays: the first step's loss and gradients, and the weights at the end.
    """
    params, x, y = batch
    reference = build_reference(name, params, place)
    x, y = (like(rows_of(array), reference.model) for array in (x, y))
    rates = variants.manual_side(name).LEARNING_RATES[:steps]
    model = wrap(reference.model)

    def loss_fn(y_pred, y):
        return times * reference.loss_fn(y_pred, y)

    losses = torch_train(model, loss_fn, x, y, rates[:1])
    parameters = dict(reference.model.named_parameters())
    grads = gather(reference, {path: w.grad for path, w in parameters.items()})
    first = {"loss": add_up(losses[0] / times), **{f"grad_{k}": w for k, w in grads.items()}}
    torch_train(model, loss_fn, x, y, rates[1:])
    return first, gather(reference, parameters)


def rows_of(array):
    """Return this rank's rows of the batch; where they do not divide evenly, one more or less."""
    return np.array_split(array, dist.get_world_size())[dist.get_rank()]


def gather(reference, tensors):
    """Put a tensor for each parameter's path together from all ranks' shards; return as arrays."""
    gathered = {}
    for name, path in reference.names.items():
        tensor = tensors[path]
        whole = tensor.full_tensor() if isinstance(tensor, DTensor) else tensor
        gathered[name] = to_numpy(to_notebook(reference.model, path, whole))
    return gathered


def judge_run(name, batch, first, weights, steps):
    """Compare with `manual` on the whole batch; return lists of Findings, by what they are on."""
    params, x, y = batch
    network, reference = variants.manual_side(name), build_reference(name, params)
    ours, precision = manual_trace(network, params, x, y), precision_of(params)
    *_, measured = roundings(float64_traces(reference, params, x, y, precision), precision)
    allowed = tolerances(measured, ours, reference.names, precision)
    loss, *grads = judge(ours, first, measured, allowed, reference.names, precision)
    rates = network.LEARNING_RATES[:steps]
    ours, _ = train(network, params, x, y, rates)
    allowed = weight_tolerances(network, params, x, y, rates)
    after = judge(ours, weights, measured, allowed, reference.names, precision)
    return {"loss": [loss], "gradients": grads, "weights": after}


def causes_table(batches, firsts):
    """Draw what is wrong with the first gradients of each run: a line for each kind of cause."""
    table = new_table()
    for heading in ("variant", "way", "cause", "gradients", "the first of them"):
        table.add_column(heading, no_wrap=heading != "the first of them")
    for (name, way), first in firsts.items():
        params, x, y = batches[name]
        given = {**manual_trace(variants.manual_side(name), params, x, y), **first}
        findings, _ = verdicts(given, build_reference(name, params), x, y)
        causes = [f.cause for f in findings if f.name in first and f.kind == "gradient" and f.cause]
        for kind in dict.fromkeys(cause.kind for cause in causes):
            alike = [cause.message for cause in causes if cause.kind == kind]
            table.add_row(name, way, kind, f"{len(alike)} of {len(params)}", escape(alike[0]))
    return table


def show(batches, runs, ranks, steps):
    """Print the runs against `manual`, and what is wrong with the plain ones; say if all match."""
    out, table, mismatched, overflows = console(), new_table(), [], False
    for heading in ("variant", "way", "compared", "worst", "difference / tolerance", "verdict"):
        table.add_column(heading, no_wrap="/" not in heading)
    for (name, way), (first, weights, _) in runs.items():
        for what, findings in judge_run(name, batches[name], first, weights, steps).items():
            worst = max(findings, key=lambda f: (f.verdict != "match", f.ratio))
            difference = f"{worst.difference:.1e} / {worst.tolerance:.1e}"
            table.add_row(name, way, what, worst.name, difference, verdict(worst.verdict))
            if worst.verdict != "match":
                mismatched.append(f"{what} of {name} with {way}")
            overflows = overflows or np.isinf(worst.tolerance)
    out.print(table, "")
    if mismatched:
        out.print(causes_table(batches, {key: first for key, (first, *_) in runs.items()}), "")
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
            causes_table(batches, {key: plain for key, (*_, plain) in runs.items()}),
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
            fail(error.format_message() if isinstance(error, UsageError) else str(error))


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
