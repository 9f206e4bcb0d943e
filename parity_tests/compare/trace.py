"""The trace: every quantity of one forward and backward pass, under the notebook's names.

A trace is a dict from name to NumPy array, in the order of computing: the parameters, the
values, the loss, then the gradients as `grad_` and the name. Both sides record the same dict.
"""

from contextlib import ExitStack
from functools import partial

import numpy as np
import torch

from parity_tests.compare.weights import to_notebook, to_tensor


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


def reference_trace(reference, x, y, hand_on=None, hand_back=None, sources=None):
    """Run a PyTorch network and record it: hooks on its named submodules see every quantity.

    `x` and `y` are NumPy arrays; they go to the dtype and the device of the model. What is
    recorded comes back to the CPU, the parameters' gradients in the notebook's orientation.
    A parameter or value that does not reach the loss has gradient None in PyTorch; here it is
    the array of zeros that it stands for. What a submodule gives when it is called again is
    recorded as its name with _2, _3, ...

    `hand_on(name, tensor)` may return another value to pass on in place of the one computed,
    `hand_back(name, gradient)` another gradient, or None to leave it: autograd takes both as
    the identity. The hooks are gone when this returns, or raises.

    Into the dict `sources`, if one is given, goes for each value and the loss the set of names
    of what it was computed from; and the trace then has `grad_x`.
    """
    model, names, loss_fn = reference[:3]
    parameters = dict(model.named_parameters())
    of_parameter = {parameters[path]: name for name, path in names.items()}
    trace = {n: to_numpy(to_notebook(model, path, parameters[path])) for n, path in names.items()}
    grads = {}

    def note_value(name, _module, _inputs, output):
        if not isinstance(output, torch.Tensor):
            return None
        name = unused(name, trace)
        trace[name] = to_numpy(output)
        given = None if hand_on is None else hand_on(name, output.detach())
        if sources is not None:
            sources[name] = named_sources(output, of_parameter)
        if given is not None or sources is not None:
            output = HandOn.apply(output, output.detach() if given is None else given, name)
        if output.requires_grad:
            output.register_hook(partial(note_gradient, name))
        return output

    def note_gradient(name, grad):
        grads[f"grad_{name}"] = to_numpy(grad)
        return None if hand_back is None else hand_back(name, grad)

    def note_parameter(name, path, parameter):
        grads[f"grad_{name}"] = to_numpy(to_notebook(model, path, parameter.grad))

    with ExitStack() as hooks:
        for path, name in watched(reference).items():
            handle = model.get_submodule(path).register_forward_hook(partial(note_value, name))
            hooks.callback(handle.remove)
        for name, path in names.items():
            hook = partial(note_parameter, name, path)
            hooks.callback(parameters[path].register_post_accumulate_grad_hook(hook).remove)
        model.zero_grad()
        x = like(x, model)
        if sources is not None and x.is_floating_point():
            of_parameter[x.requires_grad_()] = "x"
        loss = loss_fn(model(x), like(y, model))
        trace["loss"] = to_numpy(loss)
        if sources is not None:
            sources["loss"] = named_sources(loss, of_parameter)
        loss.backward()
    for name in [name for name in trace if name != "loss"]:
        grads.setdefault(f"grad_{name}", np.zeros_like(trace[name]))
    if x.grad is not None:
        grads["grad_x"] = to_numpy(x.grad)
    return {**trace, **grads}


def watched(reference):
    """Return which submodules give a quantity, by their paths, and its name."""
    if reference.values is not None:
        return reference.values
    return {path: path for path, _ in reference.model.named_modules() if path}


def unused(name, trace):
    """Return `name`, or with _2, _3, ... the first that the trace does not have yet."""
    count, free = 1, name
    while free in trace:
        count += 1
        free = f"{name}_{count}"
    return free


def named_sources(tensor, of_parameter):
    """Return the names of what a tensor was computed from, read off autograd's graph."""
    found, seen, waiting = set(), set(), [tensor.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, "quantity"):  # a HandOn: a named value
            found.add(node.quantity)
        elif hasattr(node, "variable"):  # a leaf: a parameter, or x
            found.add(of_parameter.get(node.variable))
        else:
            waiting += [next_node for next_node, _ in node.next_functions]
    return found - {None}


class HandOn(torch.autograd.Function):
    """Pass on `given` in place of `computed`; on the way back, the identity."""

    @staticmethod
    def forward(ctx, computed, given, name):
        """Return a copy of `given`; `name` is left in autograd's graph."""
        ctx.quantity = name
        return given.clone()

    @staticmethod
    def backward(ctx, grad):
        """Return the gradient as it came, as that of `computed`."""
        return grad, None, None


def like(array, model):
    """Return a NumPy array as a tensor of the model's dtype, on its device.

    Whole numbers stay what they are: they are class labels or indices.
    """
    parameter = next(model.parameters())
    whole = np.issubdtype(np.asarray(array).dtype, np.integer)
    dtype = torch.int64 if whole else parameter.dtype
    return to_tensor(array, dtype, parameter.device)


def usable(array, tensor):
    """Return a copy of `array` that can be handed over in place of `tensor`, or None.

    A copy, since autograd adds up gradients in place.
    """
    if array is None or array.shape != tuple(tensor.shape):
        return None
    return to_tensor(array, tensor.dtype, tensor.device)


def to_numpy(tensor):
    """Copy a tensor to a NumPy array; what NumPy has no dtype for (bfloat16) as float32."""
    tensor = tensor.detach().cpu()
    if tensor.dtype is torch.bfloat16:
        tensor = tensor.float()
    return tensor.numpy().copy()
