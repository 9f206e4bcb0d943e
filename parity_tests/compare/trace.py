"""The trace: every quantity of one forward and backward pass, under the notebook's names.

A trace is a dict from name to NumPy array, in the order of computing: the parameters, the
values, the loss, then the gradients as `grad_` and the name. Both sides record the same dict.
"""

from contextlib import ExitStack
from functools import partial

import numpy as np
import torch

from parity_tests.compare.weights import to_notebook


def kind_of(name, parameters):
    """Say what a quantity is: `parameter`, `value`, `loss` or `gradient`."""
    if name.startswith("grad_"):
        return "gradient"
    if name == "loss":
        return "loss"
    return "parameter" if name in parameters else "value"


def manual_trace(network, params, x, y):
    """Run a hand-written network, a module with `forward` and `backward`, and record it."""
    values = network.forward(params, x, y)
    grads = network.backward(params, x, y, values)
    return {name: np.asarray(array) for name, array in {**params, **values, **grads}.items()}


def reference_trace(reference, x, y, hand_on=None, hand_back=None):
    """Run a PyTorch network and record it: hooks on its named submodules see every quantity.

    `x` and `y` are NumPy arrays; they go to the dtype and the device of the model. What is
    recorded comes back to the CPU, the parameters' gradients in the notebook's orientation.
    A parameter or value that does not reach the loss has gradient None in PyTorch; here it is
    the array of zeros that it stands for.

    `hand_on(name, tensor)` may return another value to pass on in place of the one computed,
    `hand_back(name, gradient)` another gradient, or None to leave it: autograd takes both as
    the identity. The hooks are gone when this returns, or raises.
    """
    model, names, loss_fn = reference
    parameters = dict(model.named_parameters())
    trace = {n: to_numpy(to_notebook(model, path, parameters[path])) for n, path in names.items()}
    grads = {}

    def note_value(name, _module, _inputs, output):
        trace[name] = to_numpy(output)
        given = None if hand_on is None else hand_on(name, output.detach())
        if given is not None:
            output = HandOn.apply(output, given)
        if output.requires_grad:
            output.register_hook(partial(note_gradient, name))
        return output

    def note_gradient(name, grad):
        grads[f"grad_{name}"] = to_numpy(grad)
        return None if hand_back is None else hand_back(name, grad)

    def note_parameter(name, path, parameter):
        grads[f"grad_{name}"] = to_numpy(to_notebook(model, path, parameter.grad))

    with ExitStack() as hooks:
        for name, module in model.named_modules():
            if name:
                handle = module.register_forward_hook(partial(note_value, name))
                hooks.callback(handle.remove)
        for name, path in names.items():
            hook = partial(note_parameter, name, path)
            hooks.callback(parameters[path].register_post_accumulate_grad_hook(hook).remove)
        model.zero_grad()
        loss = loss_fn(model(like(x, model)), like(y, model))
        trace["loss"] = to_numpy(loss)
        loss.backward()
    for name in [name for name in trace if name != "loss"]:
        grads.setdefault(f"grad_{name}", np.zeros_like(trace[name]))
    return {**trace, **grads}


class HandOn(torch.autograd.Function):
    """Pass on `given` in place of `computed`; on the way back, the identity."""

    @staticmethod
    def forward(ctx, computed, given):
        """Return a copy of `given`."""
        return given.clone()

    @staticmethod
    def backward(ctx, grad):
        """Return the gradient as it came, as that of `computed`."""
        return grad, None


def like(array, model):
    """Return a NumPy array as a tensor of the model's dtype, on its device."""
    parameter = next(model.parameters())
    return torch.tensor(array, dtype=parameter.dtype, device=parameter.device)


def to_numpy(tensor):
    """Copy a tensor to a NumPy array; what NumPy has no dtype for (bfloat16) as float32."""
    tensor = tensor.detach().cpu()
    if tensor.dtype is torch.bfloat16:
        tensor = tensor.float()
    return tensor.numpy().copy()
