"""A user's PyTorch module: can it be a reference?"""

from contextlib import ExitStack

import numpy as np
import torch
from torch import nn
from torch.nn.parameter import UninitializedParameter

from handgrad.errors import InputError
from handgrad.load.weights import check_weights
from handgrad.run.hand_written import named_inputs, one_line
from handgrad.run.precision import as_tensor, precision_of
from handgrad.run.reference import borrowed, put_parameters

RANDOM = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout)
ELEMENTWISE = (nn.MSELoss, nn.L1Loss, nn.SmoothL1Loss, nn.HuberLoss)


def module_of(reference):
    """Return a module, or what a callable makes; raise InputError where it is no reference."""
    if not isinstance(reference, nn.Module) and callable(reference):
        try:
            reference = reference()
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise InputError(
                f"The reference is a callable that makes no module: it raised {one_line(error)}."
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
    if any(parameter.is_inference() for parameter in reference.parameters()):
        raise InputError(
            "The reference was made under torch.inference_mode(), and so cannot be differentiated: "
            "make it outside."
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
    return reference


def loss_of(loss):
    """Return the loss to compute with: the sum of squared errors where the user gives none."""
    if loss is None:
        return nn.MSELoss(reduction="sum")
    if not callable(loss):
        raise InputError(f"The loss must be callable, found {type(loss).__name__}.")
    return loss


def check_runs(network):
    """Raise InputError where a Network's reference cannot be run, or cannot be compared with.

    It has to take x and the hand-written parameters, give the same twice, and its loss has to
    be one number that depends on the parameters.
    """
    model, loss_fn = network.reference.model, network.reference.loss_fn
    dtype = precision_of(network.params).torch
    check_weights(network.reference, network.params, dtype)
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        parameters = stack.enter_context(borrowed(model, dtype, "cpu"))
        put_parameters(network, parameters, dtype, "cpu")
        first, second = (output_of(model, network, dtype) for _ in range(2))
        if not torch.equal(first, second) and bool(torch.isfinite(first).all()):
            raise InputError(
                "The reference gives another result when it is run again on the same x: it must "
                "be deterministic; call reference.eval(), or take out what draws at random."
            )
        check_loss(loss_fn, first, network.y, dtype)


def output_of(model, network, dtype):
    """Run a reference forward; raise InputError where it fails, or gives no tensor."""
    inputs = named_inputs(network.x)
    try:
        output = model(*(as_tensor(x, dtype, "cpu") for x in inputs.values()))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        shapes = " and ".join(str(x.shape) for x in inputs.values())
        raise InputError(
            f"The reference fails on x of shape {shapes}: {one_line(error)}."
        ) from None
    if not isinstance(output, torch.Tensor):
        raise InputError(
            f"The reference must return one tensor, found {type(output).__name__}: wrap it in a "
            "module that returns what the loss takes."
        )
    return output


def check_loss(loss_fn, output, y, dtype):
    """Raise InputError where the loss fails, is no single number, or is cut off from autograd."""
    if isinstance(loss_fn, ELEMENTWISE) and output.shape != np.shape(y):
        raise InputError(
            f"The reference's output has shape {tuple(output.shape)}, y has {np.shape(y)}: give "
            "both the same shape, or the loss would broadcast them."
        )
    try:
        number = loss_fn(output, as_tensor(y, dtype, "cpu"))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise InputError(
            f"The loss fails on an output of shape {tuple(output.shape)} and y of shape "
            f"{np.shape(y)}: {one_line(error)}."
        ) from None
    if not isinstance(number, torch.Tensor) or number.numel() != 1:
        raise InputError("The loss must be one number, as a tensor.")
    if not number.requires_grad:
        raise InputError(
            "The loss does not depend on the reference's parameters as far as autograd sees: "
            "leave out detach(), no_grad() and detours through NumPy."
        )
