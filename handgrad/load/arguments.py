"""What a custom function is called with: tensors by the names that it has for them."""

import re

import torch

from handgrad.errors import InputError
from handgrad.run.precision import PRECISIONS
from handgrad.run.torch_function import Arguments

TAKEN = re.compile(r"loss|out\d*")  # what else in a trace is called so


def arguments_of(subject, inputs):
    """Return the Arguments of a call; raise InputError where one cannot be computed with."""
    places: dict[str, int] = {}
    for place, given in enumerate(inputs):
        if isinstance(given, torch.Tensor):
            places[name_of(subject, place, len(inputs))] = place
    for name, place in places.items():
        check_tensor(f"{subject.name}: the input {name}", inputs[place])
    real = [name for name, place in places.items() if inputs[place].is_floating_point()]
    if not real:
        raise InputError(
            f"{subject.name}: none of the {len(inputs)} inputs is a floating point tensor, so "
            "there is no gradient to judge: give what you call the function with."
        )
    asked = [name for name in real if inputs[places[name]].requires_grad]
    return Arguments(tuple(inputs), places, tuple(asked or real))


def name_of(subject, place, count):
    """Return the name that forward has for an input; one of many is numbered."""
    names = subject.names
    if place < len(names) and not names[place].startswith("*"):
        name = names[place]
    elif names and names[-1].startswith("*"):
        name = f"{names[-1][1:]}{place - len(names) + 2}"
    else:
        name = f"x{place + 1}" if count > 1 else "x"
    return f"{name}_input" if TAKEN.fullmatch(name) else name


def check_tensor(name, tensor):
    """Raise InputError where a tensor cannot be computed with here."""
    if tensor.layout is not torch.strided or tensor.is_complex():
        raise InputError(f"{name} must be a dense tensor of real numbers: found {tensor.dtype}.")
    if tensor.numel() == 0:
        raise InputError(f"{name} is empty, its shape is {tuple(tensor.shape)}.")
    if tensor.is_floating_point():
        if str(tensor.dtype).removeprefix("torch.") not in PRECISIONS:
            raise InputError(
                f"{name} must be float64, float32 or bfloat16, found {tensor.dtype}: cast it."
            )
        if not bool(tensor.isfinite().all()):
            raise InputError(f"{name} must be finite, found nan or inf: correct the data.")


def precision_of(arguments):
    """Return the Precision of the inputs: that of the narrowest."""
    dtypes = [arguments.like(n).dtype for n in arguments.places]
    real = [str(dtype).removeprefix("torch.") for dtype in dtypes if dtype.is_floating_point]
    return max((PRECISIONS[dtype] for dtype in real), key=lambda precision: precision.eps)
