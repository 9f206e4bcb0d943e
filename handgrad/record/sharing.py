"""One rank of several: where it computes, which rows it has, and how it trains with the others."""

import os
from contextlib import contextmanager

import numpy as np
import torch
import torch.distributed as dist
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor
from torch.nn.parallel import DistributedDataParallel

from handgrad.errors import InputError
from handgrad.load import gallery
from handgrad.run.hand_written import named_inputs
from handgrad.run.precision import as_tensor, precision_of, to_numpy
from handgrad.run.reference import oriented, path_of, put_parameters
from handgrad.train.drift import Unpacking


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


def train_together(wrap, network, place, add_up, steps, times):
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
