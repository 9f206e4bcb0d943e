"""A user's loss, as it is called: `loss(output, y)`, or `loss(output, y, params)`."""

import copy
import inspect
from functools import partial

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from handgrad.errors import InputError
from handgrad.run.hand_written import one_line
from handgrad.run.outputs import each, tensors_of
from handgrad.run.precision import as_tensor
from handgrad.run.reference import oriented, path_of

# Losses that would broadcast an output and a y of different shapes against each other.
ELEMENTWISE = (
    *(nn.MSELoss, nn.L1Loss, nn.SmoothL1Loss, nn.HuberLoss, nn.BCELoss, nn.BCEWithLogitsLoss),
)
FUNCTIONS = (
    *(functional.mse_loss, functional.l1_loss, functional.smooth_l1_loss, functional.huber_loss),
    *(functional.binary_cross_entropy, functional.binary_cross_entropy_with_logits),
)


def loss_of(loss, model, table):
    """Return a loss of output and y: the sum of squared errors where the user gives none.

    `table` has the entries of the parameters by the user's names: a loss of three arguments gets
    the module's own tensors under these names, in the orientation that the user has.
    """
    if loss is None:
        return nn.MSELoss(reduction="sum")
    if not callable(loss):
        raise InputError(f"The loss must be callable, found {type(loss).__name__}.")
    if isinstance(loss, nn.Module) and list(loss.buffers()) and not list(loss.parameters()):
        return partial(with_weights, copy.deepcopy(loss))
    return partial(with_parameters, loss, model, table) if takes_parameters(loss) else loss


def with_weights(loss, output, y):
    """Compute a loss that has weights, as those of classes, in the dtype of the output."""
    (first, *_) = tensors_of(output)
    return loss.to(first.device, first.dtype)(output, y)


def takes_parameters(loss):
    """Say whether a loss needs a third argument."""
    try:
        signature = inspect.signature(loss.forward if isinstance(loss, nn.Module) else loss)
    except (TypeError, ValueError):  # built in, or no function after all
        return False
    by_position = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    arguments = signature.parameters.values()
    return sum(a.default is a.empty and a.kind in by_position for a in arguments) == 3


def with_parameters(loss, model, table, output, y):
    """Compute a loss of three arguments."""
    parameters = dict(model.named_parameters())
    own = {n: oriented(parameters[path_of(e, parameters)], e, parameters) for n, e in table.items()}
    return loss(output, y, own)


def with_real_targets(loss_fn, output, y):
    """Compute a loss that takes no whole numbers."""
    (first, *_) = tensors_of(output)
    return loss_fn(output, y.to(first.dtype))


def is_elementwise(loss_fn):
    """Say whether a loss compares an output with y entry by entry."""
    if isinstance(loss_fn, partial):
        loss_fn = loss_fn.args[0]
    return isinstance(loss_fn, ELEMENTWISE) or loss_fn in FUNCTIONS


def usable_loss(loss_fn, output, y, dtype):
    """Return a loss that can be computed and differentiated: for whole y, of real ones if need be.

    Raises InputError where it fails, is no single number, or is cut off from autograd.
    """
    if is_elementwise(loss_fn) and isinstance(output, torch.Tensor) and output.shape != y.shape:
        raise InputError(
            f"The reference's output has shape {tuple(output.shape)}, y has {np.shape(y)}: give "
            "both the same shape, or the loss would broadcast them."
        )
    outputs = tensors_of(output)
    failed = attempt(loss_fn, output, y, dtype)
    if failed is not None and y.dtype.kind in "iub" and outputs:
        real = partial(with_real_targets, loss_fn)
        if attempt(real, output, y, dtype) is None:
            return real
    if isinstance(failed, InputError):
        raise failed
    if failed is not None:
        shapes = " and ".join(str(tuple(tensor.shape)) for tensor in outputs)
        raise InputError(
            f"The loss fails on an output of shape {shapes} and y of shape {np.shape(y)}: "
            f"{one_line(failed)}."
        )
    return loss_fn


def attempt(loss_fn, output, y, dtype):
    """Compute a loss and its slope; return what goes wrong, or None."""
    # of its own graph, so that the next attempt can be made
    output = each(lambda _, t: t.detach().requires_grad_(t.requires_grad) * 1, output)
    try:
        number = loss_fn(output, as_tensor(y, dtype, "cpu"))
        if not isinstance(number, torch.Tensor) or number.numel() != 1:
            return InputError("The loss must be one number, as a tensor.")
        if not number.requires_grad:
            return InputError(
                "The loss does not depend on the reference's parameters as far as autograd sees: "
                "leave out detach(), no_grad() and detours through NumPy."
            )
        used = [tensor for tensor in tensors_of(output) if tensor.requires_grad]
        torch.autograd.grad(number, used, allow_unused=True)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return error
    return None
