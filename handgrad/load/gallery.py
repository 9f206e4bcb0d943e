"""The gallery: each network is a file in `manual/` and a file of that name in `torch_ref/`."""

import importlib
import inspect
import re
from functools import partial
from pathlib import Path

import numpy as np

from handgrad.errors import InputError
from handgrad.network import Network, Reference, unequal
from handgrad.run.code import Code

# The networks, in the order in which they build on each other: the notebook's cells for its own.
GALLERY = {
    "two_layer_relu": "1-12",
    "three_layer_relu": "13-20",
    "three_layer_relu_bias": "21-25",
    "three_layer_sigmoid_bias": "26-28",
    "residual": "",
    "shared_weight": "",
    "softmax_cross_entropy": "",
    "layer_norm": "",
}


DTYPES = ("float64", "float32", "tf32", "bfloat16")  # those of handgrad.run.precision


def check_name(name):
    """Raise InputError unless `name` is a network of the gallery."""
    if name not in GALLERY:
        raise InputError(f"There is no network {name!r}: choose one of {', '.join(GALLERY)}.")


def check_dtype(text, *others):
    """Raise InputError unless `text` is a dtype's name, None, or one of `others`."""
    if text not in (None, *DTYPES, *others):
        known = ", ".join(DTYPES) + "".join(f" or {other}" for other in others)
        raise InputError(f"There is no dtype {text!r}: use one of {known}.")


def manual_side(name):
    """Import the hand-written module of a network; raise InputError where it is broken."""
    return imported(f"manual.{name}")


def torch_side(name):
    """Import the PyTorch module of a network (and with it torch); raise InputError likewise."""
    return imported(f"torch_ref.{name}")


def imported(name):
    """Import a module of this project; raise InputError where a change to it broke it."""
    try:
        return importlib.import_module(f"handgrad.{name}")
    except SyntaxError as error:
        raise InputError(
            f"{error.filename}, line {error.lineno}: {error.msg}; it is not Python."
        ) from None
    except (Exception, SystemExit) as error:
        raise InputError(
            f"{name.replace('.', '/')}.py cannot be imported: {type(error).__name__}: {error}."
        ) from None


def sizes_of(name):
    """Return the sizes of a network that `init` takes: a dict such as n=64, d_in=20, h=32."""
    arguments = inspect.signature(manual_side(name).init).parameters.values()
    return {a.name: a.default for a in arguments if a.name != "rng"}


def parse_seed(text):
    """Read a seed: a whole number, 0 or more."""
    if not (text.isascii() and text.isdecimal() and len(text) < 20):
        raise InputError(f"--seed is a whole number, 0 or more, found {text[:30]!r}.")
    return int(text)


def parse_sizes(name, text):
    """Read `64,6,8,8,1` into a network's sizes by name; its own where `text` is empty."""
    sizes = sizes_of(name)
    if not text:
        return sizes
    example = ",".join(map(str, sizes.values()))
    if not re.fullmatch(r"-?[0-9]{1,9}(,-?[0-9]{1,9})*", text):
        raise InputError(
            f"A size is whole numbers with commas between, such as {example}, found {text!r}."
        )
    numbers = [int(part) for part in text.split(",")]
    if len(numbers) != len(sizes):
        raise InputError(
            f"{name} takes {len(sizes)} sizes ({', '.join(sizes)}), found {len(numbers)}: "
            f"write them as --size {example}."
        )
    if min(numbers) < 1:
        raise InputError(f"A size must be 1 or more, found {min(numbers)} in {numbers}.")
    return dict(zip(sizes, numbers, strict=True))


def load(name, dtype="float64", seed=0, sizes=None, side=None):
    """Return a network of the gallery with weights and data drawn from a seed.

    They are numbers that `dtype` can hold, in the dtype in which the hand-written side computes
    for it. `sizes` is a dict such as n=64, h1=16 of those that are not the network's own. The
    hand-written module is `side`, by default the network's own.
    """
    side = side or manual_side(name)
    sizes = {**sizes_of(name), **(sizes or {})}
    params, x, y = draw(name, dtype, seed, sizes)
    return Network(
        name=name,
        params=params,
        x=x,
        y=y,
        reference=build_reference(name, sizes),
        forward=side.forward,
        backward=side.backward,
        is_complete=True,
        source=name,
        path=Path(side.__file__),
        sizes=sizes,
        code=Code([vars(side)], {side.forward.__code__.co_filename}.__contains__),
        redraw=partial(again, name, dtype, sizes, side),
    )


def again(name, dtype, sizes, side, seed):
    """Return a network of the gallery with other weights and data, of larger, unequal sizes."""
    return load(name, dtype, seed, unequal(sizes), side)


def check_complete(network, actual, findings):
    """Raise InputError unless the hand-written side has just the reference's quantities."""
    known = [finding.name for finding in findings]
    for finding in findings:
        if finding.verdict == "missing":
            raise InputError(
                f"{network.path} returns no `{finding.name}`: the PyTorch version has it."
            )
    for name in actual:
        if name not in known:
            from handgrad.load.names import suggestion  # needs torch

            raise InputError(
                f"{network.path} returns `{name}`, which the PyTorch version does not have"
                f"{suggestion(name, known)}."
            )


def draw(name, dtype="float64", seed=0, sizes=None):
    """Draw `params, x, y` of a network from a seed: numbers that `dtype` can hold."""
    from handgrad.run.precision import PRECISIONS, rounded  # needs torch

    try:
        drawn = manual_side(name).init(np.random.default_rng(seed), **(sizes or {}))
    except ValueError as error:  # more entries than an array can have
        raise InputError(f"Arrays of these sizes cannot be made: {error}.") from None
    return rounded(drawn, PRECISIONS[dtype])


def build_reference(name, sizes):
    """Make the PyTorch network of these sizes, and return it as a Reference."""
    side = torch_side(name)
    wanted = inspect.signature(side.Net).parameters
    model = side.Net(**{key: size for key, size in sizes.items() if key in wanted})
    return Reference(model, side.PARAMETERS, side.loss_fn)


def is_trained(name):
    """Say whether a network has a training."""
    return bool(getattr(manual_side(name), "LEARNING_RATES", []))


def learning_rates(name):
    """Return the learning rate of each step of a network's training.

    Raises InputError where the network is not trained.
    """
    if not is_trained(name):
        raise InputError(
            f"{name} is not trained: manual/{name}.py has no LEARNING_RATES, one for each step."
        )
    return manual_side(name).LEARNING_RATES
