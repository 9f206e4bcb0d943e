"""How the PyTorch side runs: identical weights in, every quantity out, and all put back.

The module is lent for one run. Its parameters are replaced by the hand-written ones, its named
submodules are watched, and afterwards everything of its own is as it was: parameters, gradients,
buffers, hooks. So a loss that closes over the module sees the weights that are checked, and
no run moves a running average on.
"""

from collections.abc import Callable, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import NamedTuple

import numpy as np
import torch

from handgrad.errors import InputError
from handgrad.run.exact import ExactFunctions
from handgrad.run.graph import Substituted, step_of
from handgrad.run.hand_written import named_inputs
from handgrad.run.kinks import KINKED, Decision
from handgrad.run.outputs import each, unused
from handgrad.run.precision import as_numpy, as_tensor, to_numpy, usable


class Run(NamedTuple):
    """One forward and backward pass of the reference.

    `quantities` is its trace. Where something was substituted, and nothing moved, `sources` has for
    each value and the loss the names of what it was computed from, and `sums` how many terms the
    longest sum of each step has, gradients too. `kinks` are the inputs of the modules with a kink,
    in the order of their calls, `cut_off` are the values whose step has a function that PyTorch
    cuts off, and `smooth` those whose step has no kink.
    """

    quantities: dict[str, np.ndarray]
    sources: dict[str, set[str]]
    sums: dict[str, int]
    kinks: list[torch.Tensor]
    cut_off: set[str]
    smooth: set[str]


class Substitute(NamedTuple):
    """What goes on, and back, in place of what the reference computes.

    `given` has arrays by the names of the quantities; `move(name, tensor)` changes what goes on,
    given or not. `kinks` are those of another run: each entry stays on its side of the kink.
    `saved` maps values to arrays from which autograd takes the derivative of the step that gave
    the value, where it takes it from the step's output (a sigmoid's). `is_exact` says to compute
    what PyTorch cuts off by its formula.
    """

    given: Mapping[str, np.ndarray] = {}
    move: Callable[[str, torch.Tensor], torch.Tensor] | None = None
    kinks: list[torch.Tensor] | None = None
    saved: Mapping[str, np.ndarray] = {}
    is_exact: bool = False


def run_reference(network, precision, device="cpu", substitute=None):
    """Run a Network's reference from the hand-written parameters, and return the Run.

    What the device computes comes back to the CPU, the parameters' gradients in the
    hand-written orientation. A parameter or value that does not reach the loss has gradient
    None in PyTorch; here it is the array of zeros that it stands for. What a submodule gives
    when it is called again is recorded as its name with _2, _3, ... With a Substitute the trace
    has the gradient of the inputs as well, where these are no whole numbers.
    """
    reference, dtype = network.reference, precision.torch
    recorder = Recorder(network, substitute)
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        parameters = stack.enter_context(borrowed(reference.model, dtype, device))
        put_parameters(network, parameters, dtype, device)
        inputs = {n: as_tensor(x, dtype, device) for n, x in named_inputs(network.x).items()}
        recorder.watch(stack, inputs)
        if substitute is not None and substitute.is_exact:
            stack.enter_context(ExactFunctions(substitute.move))
        output = reference.model(*inputs.values())
        recorder.loss(reference.loss_fn(output, as_tensor(network.y, dtype, device))).backward()
    return recorder.finished()


@contextmanager
def borrowed(model, dtype, device):
    """Lend a module for a while, its buffers in a dtype and on a device; yield its parameters.

    Afterwards every parameter, gradient, buffer and training flag is the module's own again.
    """
    parameters = dict(model.named_parameters())
    own = [(p, p.data, p.grad, p.requires_grad) for p in parameters.values()]
    modules = [
        (m, m.training, [(table, dict(table)) for table in (m._parameters, m._buffers)])
        for m in model.modules()
    ]
    buffers = [(buffer, buffer.data) for buffer in model.buffers()]
    try:
        for buffer, data in buffers:
            kind = dtype if data.is_floating_point() else data.dtype
            buffer.data = data.to(device, kind, copy=True)
        yield parameters
    finally:
        for parameter, data, grad, requires_grad in own:
            parameter.grad = None  # it may be of another dtype than the data
            parameter.data = data
            parameter.grad = grad
            parameter.requires_grad_(requires_grad)
        for buffer, data in buffers:
            buffer.data = data
        for module, training, tables in modules:
            module.training = training
            for table, before in tables:  # a pass may have put others in their place
                table.clear()
                table.update(before)


def put_parameters(network, parameters, dtype, device):
    """Put the hand-written parameters into those of the module; raise InputError at a misfit."""
    table = network.reference.parameters
    left_out = set(parameters) - {path_of(entry, parameters) for entry in table.values()}
    if left_out:
        raise InputError(
            f"The table of parameters has no entry for {', '.join(sorted(left_out))}: it has "
            f"{', '.join(table.values())}."
        )
    for name, entry in table.items():
        parameter = parameters.get(path_of(entry, parameters))
        if parameter is None or name not in network.params:
            raise InputError(
                f"The table of parameters has {name} as {entry}: there are "
                f"{', '.join(network.params)} by hand, and {', '.join(parameters)} in PyTorch."
            )
        tensor = oriented(as_tensor(network.params[name], dtype, device), entry, parameters)
        if tensor.shape != parameter.shape:
            raise InputError(
                f"The parameter {name}, as {entry}, has shape {tuple(tensor.shape)} by hand and "
                f"{tuple(parameter.shape)} in PyTorch: does the table need a `.T`, or one less?"
            )
        parameter.grad = None
        parameter.data = tensor
        parameter.requires_grad_(True)
    for path, array in network.reference.buffers.items():
        network.reference.model.get_buffer(path).data = as_tensor(array, dtype, device)


def path_of(entry, parameters):
    """Return the path in an entry of the table of parameters: without its `.T`."""
    return entry if entry in parameters else entry.removesuffix(".T")


def oriented(tensor, entry, parameters):
    """Turn a parameter from the hand-written orientation to the module's, or back."""
    return tensor.T if entry not in parameters and entry.endswith(".T") else tensor


def watched(reference):
    """Return which submodules give a quantity, by their paths, and its name."""
    if reference.values is not None:  # `lstm[0]` is a name for a part of what `lstm` gives
        return {path: name for path, name in reference.values.items() if "[" not in path}
    return {path: path for path, _ in reference.model.named_modules() if path}


class Recorder:
    """Notes every quantity of one pass, and puts what is given in its place."""

    def __init__(self, network, substitute):
        self.reference, self.substitute = network.reference, substitute
        self.run = Run(
            {name: np.asarray(w) for name, w in network.params.items()}, {}, {}, [], set(), set()
        )
        self.grads: dict[str, np.ndarray] = {}
        self.names: dict[torch.Tensor, str] = {}  # of the parameters and the inputs
        self.outputs: dict[int, tuple] = {}  # by address; the tensor is kept, or it is used again

    def watch(self, stack, inputs):
        """Hook all that is to be noted; the hooks are gone when `stack` is closed."""
        model = self.reference.model
        parameters = dict(model.named_parameters())
        for name, entry in self.reference.parameters.items():
            parameter = parameters[path_of(entry, parameters)]
            self.names[parameter] = name
            note = partial(self.leaf, name, entry != path_of(entry, parameters))
            stack.callback(parameter.register_post_accumulate_grad_hook(note).remove)
        for path, name in watched(self.reference).items():
            hook = partial(self.output, path, name)
            stack.callback(model.get_submodule(path).register_forward_hook(hook).remove)
        for module in model.modules():
            if isinstance(module, (*KINKED, Decision)):
                stack.callback(module.register_forward_pre_hook(self.kink).remove)
        if self.substitute is None and not self.reference.with_inputs:
            return
        for name, tensor in inputs.items():
            if tensor.is_floating_point():
                self.names[tensor.requires_grad_()] = name
                tensor.register_post_accumulate_grad_hook(partial(self.leaf, name, False))
        if self.substitute is not None and self.substitute.saved:
            hooks = torch.autograd.graph.saved_tensors_hooks(torch.Tensor.detach, self.unpack)
            stack.enter_context(hooks)

    def output(self, path, name, _module, _inputs, output):
        """Note each tensor that a submodule gives, and return what goes on in its place."""
        known = self.reference.values or {}

        def note(suffix, tensor):
            own = known.get(path + suffix) if suffix else None
            free = unused(own or name, self.run.quantities, "" if own else suffix)
            return self.value(free, tensor)

        return each(note, output)

    def value(self, name, output):
        """Note one value, and return what goes on in its place."""
        self.run.quantities[name] = to_numpy(output)
        if self.substitute is not None:
            self.note_step(name, output)
            if (other := usable(self.substitute.saved.get(name), output)) is not None:
                self.outputs[output.data_ptr()] = output.detach(), other
            output = Substituted.apply(output, self.instead(name, output.detach()), name)
        if output.requires_grad:
            output.register_hook(partial(self.gradient, name))
        return output

    def note_step(self, name, tensor):
        """Note what a value, or the loss, was computed from, and how long the sums are.

        Nobody asks for it where numbers are moved: it is what it was before.
        """
        if self.substitute.move is not None:
            return
        step = step_of(tensor, self.names)
        self.run.sources[name], self.run.sums[name] = set(step.sources), step.forward
        if step.is_cut_off:
            self.run.cut_off.add(name)
        if step.is_smooth:
            self.run.smooth.add(name)
        for source, backward in step.sources.items():  # what comes from several uses is added up
            earlier = self.run.sums.get(f"grad_{source}", 0)
            self.run.sums[f"grad_{source}"] = earlier + backward

    def gradient(self, name, grad):
        """Note the gradient of a value, and return what goes back in its place."""
        self.grads[f"grad_{name}"] = to_numpy(grad)
        return None if self.substitute is None else self.instead(f"grad_{name}", grad)

    def leaf(self, name, transposed, leaf):
        """Note the gradient of a parameter or an input: no copy, since nobody else has it."""
        self.grads[f"grad_{name}"] = as_numpy(leaf.grad.T if transposed else leaf.grad)

    def kink(self, module, inputs):
        """Note what goes into a module with a kink, or keep each entry on its side of the kink.

        A perturbed entry that crosses 0 would switch a whole gradient on or off: no small move,
        and no rounding of the arithmetic.
        """
        if not inputs:  # given by name
            return None
        tensor = inputs[0]
        number = len(self.run.kinks)
        is_in_place = getattr(module, "inplace", False)  # it writes over its input
        self.run.kinks.append(tensor.detach().clone() if is_in_place else tensor.detach())
        if self.substitute is None or self.substitute.kinks is None:
            return None
        noted = self.substitute.kinks[number].to(tensor)
        crossed = torch.sign(tensor.detach()) != torch.sign(noted)
        return Substituted.apply(tensor, torch.where(crossed, noted, tensor.detach()), None)

    def loss(self, loss):
        """Note the loss, and return it."""
        self.run.quantities["loss"] = to_numpy(loss)
        if self.substitute is not None:
            self.note_step("loss", loss)
        return loss

    def instead(self, name, tensor):
        """Return what goes on, or back, in place of a tensor."""
        given = usable(self.substitute.given.get(name), tensor)
        tensor = tensor if given is None else given
        return tensor if self.substitute.move is None else self.substitute.move(name, tensor)

    def unpack(self, tensor):
        """Return what autograd takes a derivative from: another array where there is one."""
        _, other = self.outputs.get(tensor.data_ptr(), (None, tensor))
        return other if other.shape == tensor.shape else tensor

    def finished(self):
        """Return the Run, with zeros for the gradients of what does not reach the loss."""
        trace = self.run.quantities
        if self.reference.kind == "forward" and self.run.kinks:
            self.run.smooth.clear()  # a mask is no node of the graph, and any step may have one
        for name in [name for name in trace if name != "loss"]:
            self.grads.setdefault(f"grad_{name}", np.zeros_like(trace[name]))
        trace |= self.grads
        return self.run
