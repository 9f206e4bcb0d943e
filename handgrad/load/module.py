"""A user's PyTorch module: can it be a reference?"""

from contextlib import ExitStack
from dataclasses import replace

import torch
from torch import nn
from torch.nn.parameter import UninitializedParameter

from handgrad.errors import InputError
from handgrad.load.loss import is_elementwise, usable_loss
from handgrad.load.weights import check_weights, fitted
from handgrad.run.hand_written import named_inputs, one_line
from handgrad.run.outputs import tensors_of
from handgrad.run.precision import as_tensor, precision_of
from handgrad.run.reference import Recorder, borrowed, put_parameters

RANDOM = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout)


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


def first_run(network):
    """Run a Network's reference forward, and return the Network as it can be run, and the trace.

    Its loss is one that takes y, and y has the shape of the output where just an axis of length
    1 is too many or too few. Raises InputError where the reference cannot be run, or cannot be
    compared with: it has to take x and the hand-written parameters, give the same twice, and its
    loss has to be one number that depends on the parameters, or on x where there are none.
    """
    model = network.reference.model
    dtype = precision_of(network.params or named_inputs(network.x)).torch
    check_weights(network.reference, network.params, dtype)
    recorder = Recorder(network, None)
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        parameters = stack.enter_context(borrowed(model, dtype, "cpu"))
        put_parameters(network, parameters, dtype, "cpu")
        inputs = {n: as_tensor(x, dtype, "cpu") for n, x in named_inputs(network.x).items()}
        with ExitStack() as watching:
            recorder.watch(watching, inputs)
            output = output_of(model, inputs)
        check_repeats(tensors_of(output), tensors_of(output_of(model, inputs)))
        network = with_loss(network, output, dtype)
        y = as_tensor(network.y, dtype, "cpu")
        recorder.loss(network.reference.loss_fn(output, y))
    return network, recorder.run


def output_of(model, inputs):
    """Run a reference forward; raise InputError where it fails, or gives no tensor."""
    try:
        output = model(*inputs.values())
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        shapes = " and ".join(str(tuple(x.shape)) for x in inputs.values())
        raise InputError(
            f"The reference fails on x of shape {shapes}: {one_line(error)}."
        ) from None
    if not tensors_of(output):
        raise InputError(
            f"The reference must return a tensor, or several in a tuple or a dict, found "
            f"{type(output).__name__}."
        )
    return output


def check_repeats(first, second):
    """Raise InputError where the outputs of two runs are not the same."""
    pairs = list(zip(first, second, strict=False))
    if len(first) == len(second) and all(torch.equal(one, two) for one, two in pairs):
        return
    if all(bool(torch.isfinite(one).all()) for one in first):
        raise InputError(
            "The reference gives another result when it is run again on the same x: it must "
            "be deterministic; call reference.eval(), or take out what draws at random."
        )


def with_loss(network, output, dtype):
    """Return a Network whose loss takes the output and y."""
    loss_fn, y = network.reference.loss_fn, network.y
    if not isinstance(output, torch.Tensor):
        if is_elementwise(loss_fn):
            raise InputError(
                f"The reference returns a {type(output).__name__}, which {loss_name(loss_fn)} "
                "does not take: give a loss that does, loss(output, y)."
            )
    elif is_elementwise(loss_fn):
        y = fitted(y, tuple(output.shape))
    loss_fn = usable_loss(loss_fn, output, y, dtype)
    return replace(network, y=y, reference=replace(network.reference, loss_fn=loss_fn))


def loss_name(loss_fn):
    """Return the name of a loss."""
    return getattr(loss_fn, "__name__", type(loss_fn).__name__)
