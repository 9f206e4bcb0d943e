"""Identical weights on both sides: strict loading, and gradients back in the notebook's shape."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from parity_tests.errors import InputError


class Reference(NamedTuple):
    """A PyTorch network to compare with: the module, which parameter is which, and its loss.

    `names` maps the notebook's names to the module's, `{"w1": "h1.weight"}`. `loss_fn` takes
    the module's output and y, and returns a scalar tensor. `values` maps the paths of the
    submodules that give a quantity to its name; None means each submodule, by its own name.
    """

    model: nn.Module
    names: dict[str, str]
    loss_fn: Callable
    values: dict[str, str] | None = None


def to_tensor(array, dtype=None, device=None):
    """Copy a NumPy array, reversed ones too (torch takes no negative strides), to a tensor."""
    return torch.tensor(np.array(array, order="C"), dtype=dtype, device=device)


def is_transposed(model, path):
    """Say whether the parameter at `path` is kept transposed: by the module's type alone.

    The shape cannot tell: a square weight looks the same both ways.
    """
    owner, _, attribute = path.rpartition(".")
    return attribute == "weight" and isinstance(model.get_submodule(owner), nn.Linear)


def to_notebook(model, path, tensor):
    """Turn a parameter, or its gradient, into the notebook's orientation."""
    return tensor.T if is_transposed(model, path) else tensor


def load(model, names, params):
    """Copy `params`, a dict of NumPy arrays under the notebook's names, into `model`.

    Nothing is aliased: later changes on one side do not reach the other. Raises InputError,
    before anything is copied, where an array is missing, extra, misshapen, not floating
    point, not finite, or would be rounded by the model's dtype.
    """
    parameters = dict(model.named_parameters())
    check_names(parameters, names, params)
    for name, path in names.items():
        check_array(name, path, params[name], to_notebook(model, path, parameters[path]))
    copy_in(model, names, params)


def copy_in(model, names, params):
    """Copy arrays into a model's parameters as they are; `load` checks them first."""
    parameters = dict(model.named_parameters())
    with torch.no_grad():
        for name, path in names.items():
            parameters[path].copy_(to_notebook(model, path, to_tensor(params[name])))


def check_names(parameters, names, params):
    """Raise InputError unless names, arrays and the module's parameters are the same set."""
    known = ", ".join(f"{name} ({path})" for name, path in names.items())
    for name, path in names.items():
        if path not in parameters:
            raise InputError(
                f"The table of names gives {name} as {path}, but the reference has no such "
                f"parameter: it has {', '.join(parameters)}."
            )
    for path in parameters:
        if path not in names.values():
            raise InputError(
                f"The reference's parameter {path} has no hand-written counterpart: "
                f"the table of names has {known}."
            )
    for name, path in names.items():
        if name not in params:
            raise InputError(
                f"The parameter {name} is missing: the reference's {path} needs it, and "
                f"the hand-written side gives {', '.join(params) or 'none'}."
            )
    for name in params:
        if name not in names:
            raise InputError(
                f"The parameter {name} has no counterpart in the reference, which has {known}."
            )


def check_array(name, path, array, wanted):
    """Raise InputError where `array` does not fit the parameter `wanted`."""
    array = np.asarray(array)
    where = f"The parameter {name} (the reference's {path})"
    if array.dtype not in (np.float64, np.float32):
        raise InputError(
            f"{where} must be float64 or float32, found {array.dtype}: convert it with "
            "astype(np.float64)."
        )
    if array.shape != tuple(wanted.shape):
        raise InputError(
            f"{where} must have shape {tuple(wanted.shape)}, found {array.shape} on the "
            "hand-written side."
        )
    if not np.isfinite(array).all():
        count = int((~np.isfinite(array)).sum())
        raise InputError(
            f"{where} must be finite, found {count} of {array.size} entries nan or inf on the "
            "hand-written side."
        )
    tensor = to_tensor(array)
    if not torch.equal(tensor.to(wanted.dtype).to(tensor.dtype), tensor):
        raise InputError(
            f"{where} is {array.dtype} but the reference is {wanted.dtype}, which cannot hold "
            "it exactly: give both sides the same dtype."
        )
