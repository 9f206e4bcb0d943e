"""The table of variants: each name is a file in `manual/` and a file in `torch_ref/`."""

import importlib
import inspect

import numpy as np

from parity_tests.errors import InputError

# name: the notebook's cells
VARIANTS = {
    "two_layer_relu": "1-12",
    "three_layer_relu": "13-20",
    "three_layer_relu_bias": "21-25",
    "three_layer_sigmoid_bias": "26-28",
}


def check_name(name):
    """Raise InputError unless `name` is a variant."""
    if name not in VARIANTS:
        raise InputError(f"There is no variant {name!r}: choose one of {', '.join(VARIANTS)}.")


def manual_side(name):
    """Import the hand-written module of a variant; raise InputError where it is broken."""
    return imported(f"manual.{name}")


def torch_side(name):
    """Import the PyTorch module of a variant (and with it torch); raise InputError likewise."""
    return imported(f"torch_ref.{name}")


def imported(name):
    """Import a module of this project; raise InputError where a change to it broke it."""
    try:
        return importlib.import_module(name)
    except SyntaxError as error:
        raise InputError(
            f"{error.filename}, line {error.lineno}: {error.msg}; it is not Python."
        ) from None
    except (Exception, SystemExit) as error:
        raise InputError(
            f"{name.replace('.', '/')}.py cannot be imported: {type(error).__name__}: {error}."
        ) from None


def sizes(name):
    """Return the notebook's sizes of a variant: a dict such as n=64, d_in=20, h=32, d_out=1."""
    arguments = inspect.signature(manual_side(name).init).parameters.values()
    return {a.name: a.default for a in arguments if a.name != "rng"}


def sizes_from(name, numbers):
    """Pair `numbers` with the names of a variant's sizes; raise InputError if they do not fit."""
    names = list(sizes(name))
    if len(numbers) != len(names):
        raise InputError(
            f"{name} takes {len(names)} sizes ({', '.join(names)}), found {len(numbers)}: "
            f"write them as --size {','.join(str(v) for v in sizes(name).values())}."
        )
    if min(numbers) < 1:
        raise InputError(f"A size must be 1 or more, found {min(numbers)} in {numbers}.")
    return dict(zip(names, numbers, strict=True))


def draw(name, seed=0, dtype=np.float64, **sizes):
    """Draw `params, x, y` of a variant from a seed, rounded to `dtype`."""
    try:
        params, x, y = manual_side(name).init(np.random.default_rng(seed), **sizes)
    except ValueError as error:  # more entries than an array can have
        raise InputError(f"Arrays of these sizes cannot be made: {error}.") from None
    return {key: w.astype(dtype) for key, w in params.items()}, x.astype(dtype), y.astype(dtype)
