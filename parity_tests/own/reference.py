"""A user's PyTorch module, made ready to be compared with: a copy, checked and loaded."""

import copy

import numpy as np
import torch
from torch import nn
from torch.nn.parameter import UninitializedParameter

from parity_tests.compare.trace import like
from parity_tests.compare.weights import Reference, load
from parity_tests.errors import InputError

RANDOM = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout)
ELEMENTWISE = (nn.MSELoss, nn.L1Loss, nn.SmoothL1Loss, nn.HuberLoss)


def own_module(reference):
    """Return a copy of a module, or of what a callable makes: the user's stays as it is."""
    if not isinstance(reference, nn.Module) and callable(reference):
        try:
            reference = reference()
        except Exception as error:
            raise InputError(
                f"The reference is a callable that makes no module: it raised "
                f"{type(error).__name__}: {error}."
            ) from None
    if not isinstance(reference, nn.Module):
        raise InputError(
            f"The reference must be an nn.Module, or a callable that makes one, found "
            f"{type(reference).__name__}."
        )
    if not any(True for _ in reference.parameters()):
        raise InputError("The reference has no parameters: there is nothing to check.")
    if any(isinstance(p, UninitializedParameter) for p in reference.parameters()):
        raise InputError(
            "The reference has lazy layers without a size yet: run it once on x first."
        )
    devices = {str(parameter.device) for parameter in reference.parameters()}
    if len(devices) > 1 or "meta" in devices:
        raise InputError(
            f"The reference must be on one device that holds its numbers, found "
            f"{', '.join(sorted(devices))}: move it with .to('cpu')."
        )
    for path, module in reference.named_modules():
        if isinstance(module, RANDOM) and module.training and module.p > 0:
            raise InputError(
                f"The reference is in training mode and drops out at random in {path}: two runs "
                "cannot draw the same mask; call reference.eval() first."
            )
    return copy.deepcopy(reference)


def prepare(model, names, values, params, x, y, loss=None):
    """Load `params` into the copy `model`, in their dtype, and return the Reference.

    Raises InputError where the model cannot run on x and y, does not give the same twice, or
    its loss is no single number.
    """
    if isinstance(next(iter(params.values())), np.ndarray):
        dtype = np.result_type(*params.values())
        model.to(torch.float32 if dtype == np.float32 else torch.float64)
    for parameter in model.parameters():
        parameter.requires_grad_(True)
    loss_fn = nn.MSELoss(reduction="sum") if loss is None else loss
    if not callable(loss_fn):
        raise InputError(f"The loss must be callable, found {type(loss_fn).__name__}.")
    load(model, names, params)
    try:
        with torch.inference_mode(False), torch.enable_grad():
            first, second = model(like(x, model)), model(like(x, model))
    except Exception as error:
        raise InputError(
            f"The reference fails on x of shape {np.shape(x)}: {first_line(error)}"
        ) from None
    if not isinstance(first, torch.Tensor):
        raise InputError(
            f"The reference must return one tensor, found {type(first).__name__}: wrap it in a "
            "module that returns what the loss takes."
        )
    if not torch.equal(first, second) and bool(torch.isfinite(first).all()):
        raise InputError(
            "The reference gives another result when it is run again on the same x: it must be "
            "deterministic; call reference.eval(), or take out what draws at random."
        )
    if isinstance(loss_fn, ELEMENTWISE) and first.shape != np.shape(y):
        raise InputError(
            f"The reference's output has shape {tuple(first.shape)}, y has {np.shape(y)}: give "
            "both the same shape, or the loss would broadcast them."
        )
    try:
        with torch.inference_mode(False), torch.enable_grad():
            number = loss_fn(first, like(y, model))
    except Exception as error:
        raise InputError(
            f"The loss fails on an output of shape {tuple(first.shape)} and y of shape "
            f"{np.shape(y)}: {first_line(error)}"
        ) from None
    if not isinstance(number, torch.Tensor) or number.numel() != 1:
        raise InputError("The loss must be one number, as a tensor.")
    if not number.requires_grad:
        raise InputError(
            "The loss does not depend on the reference's parameters as far as autograd sees: "
            "leave out detach(), no_grad() and detours through NumPy."
        )
    return Reference(model, names, loss_fn, values)


def first_line(error):
    """Return an exception as one line."""
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0] if text else 'no message'}"
