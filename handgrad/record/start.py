"""What a Run starts from: does it fit together, and is it the same in another Run?"""

import numpy as np
import torch

from handgrad.errors import InputError
from handgrad.load import gallery
from handgrad.network import Network
from handgrad.run.hand_written import named_inputs
from handgrad.run.precision import FLOAT64, PRECISIONS, rounded
from handgrad.run.reference import oriented, path_of, run_reference


def network_of(run):
    """Return the Network that a Run is of, with its weights and data; it has no lines to show."""
    side = gallery.manual_side(run.variant)
    return Network(
        name=run.variant,
        params=weights(run),
        x=run.x,
        y=run.y,
        reference=gallery.build_reference(run.variant, run.sizes),
        forward=side.forward,
        backward=side.backward,
        sizes=run.sizes,
    )


def check_whole(place, run):
    """Raise InputError unless a Run has weights and data that fit, and all that comes of them."""
    try:
        check_sizes(run)
        expected = run_reference(network_of(run), FLOAT64).quantities
    except (KeyError, ValueError, IndexError, TypeError, RuntimeError):
        raise InputError(
            f"The weights and data of {run.variant} in the {place} record do not fit together: "
            "record it again."
        ) from None
    found = {name: array.shape for name, array in run.trace.items()}
    if found != {name: array.shape for name, array in expected.items()}:
        raise InputError(
            f"The {place} record has other quantities of {run.variant} than this Handgrad "
            "computes: record it again."
        )


def check_sizes(run):
    """Raise ValueError where the sizes of a Run are not those of its weights and data.

    The weights are asked for of a module without numbers, and the data is drawn only after
    them, so that sizes which are not true cost no memory.
    """
    with torch.device("meta"):
        reference = gallery.build_reference(run.variant, run.sizes)
    parameters = dict(reference.model.named_parameters())
    for name, entry in reference.parameters.items():
        wanted = oriented(parameters[path_of(entry, parameters)], entry, parameters).shape
        if run.trace[name].shape != tuple(wanted):
            raise ValueError(name)
    found = {**named_inputs(run.x), "y": run.y}
    if any(len(array) != run.sizes["n"] for array in found.values()):
        raise ValueError("n")
    _, x, y = gallery.draw(run.variant, run.dtype, sizes=run.sizes)
    if kinds(found) != kinds({**named_inputs(x), "y": y}):
        raise ValueError("data")


def kinds(arrays):
    """Return of each array in a dict its shape, and whether it is of whole numbers."""
    return {name: (array.shape, array.dtype.kind) for name, array in arrays.items()}


def weights(run):
    """Return the weights of a Run, in the dtype in which the hand-written side computes for it."""
    dtype = PRECISIONS[run.dtype].numpy
    names = gallery.torch_side(run.variant).PARAMETERS
    return {name: run.trace[name].astype(dtype) for name in names}


def check_same(first, second, precision):
    """Raise InputError unless two Runs start from the same numbers, rounded to `precision`."""
    name = first.variant
    if first.seed != second.seed:
        raise InputError(
            f"{name} has seed {first.seed} in the first record and {second.seed} in the second: "
            "record both with the same --seed."
        )
    sides = [{**weights(run), **named_inputs(run.x), "y": run.y} for run in (first, second)]
    for key in sides[0]:
        actual, expected = sides[0][key], sides[1][key]
        if actual.shape != expected.shape:
            raise InputError(
                f"`{key}` of {name} is {actual.shape} in the first record and {expected.shape} in "
                "the second: record both with the same --size."
            )
        if not np.array_equal(rounded(actual, precision), rounded(expected, precision)):
            raise InputError(
                f"`{key}` of {name} has other numbers in the first record than in the second: "
                "record both from the same weights and data."
            )
