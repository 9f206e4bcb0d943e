"""One step of the reference computed on its own, without the pass that it is part of.

A step that is one submodule's, called on one named array, needs that submodule alone: a wrong
quantity is asked many questions, and a whole pass for each would cost more than all else. That
the step is no more than this is not assumed: `alone` first has it give what the pass gave.
"""

from contextlib import ExitStack
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch

from handgrad.run.perturb import REFUSALS
from handgrad.run.precision import as_tensor, to_numpy
from handgrad.run.reference import borrowed, path_of


class Part(NamedTuple):
    """What gives a value: a module, or None for the loss, on one source, with its parameters.

    `names` has for each hand-written parameter its path in the module, and whether the module keeps
    it transposed.
    """

    value: str
    module: Any
    source: str
    names: dict[str, tuple[str, bool]]


def alone(case):
    """Return `compute(replaced, saved)` for the step of a Case, or None where it takes a pass.

    It takes what `Steps.recompute` does, and returns the quantity of the Case.
    """
    values = case.steps.users(case.quantity) if case.is_gradient else [case.name]
    parts = [part_of(case, value) for value in values]
    if not parts or None in parts:
        return None
    compute = partial(computed, case, parts)
    try:
        result = compute({}, {})
    except (*REFUSALS, TypeError, AttributeError):  # called with more than one argument, say
        return None
    is_same = result.shape == case.expected.shape
    return compute if is_same and (abs(result - case.expected) <= case.tolerance).all() else None


def part_of(case, value):
    """Return the Part that gives a value, or None where it has not one source."""
    sources, names = case.steps.sources.get(value, set()), {}
    module = None if value == "loss" else case.module(value)
    if module is not None:
        reference = case.steps.network.reference
        whole = dict(reference.model.named_parameters())
        paths = {id(parameter): path for path, parameter in module.named_parameters()}
        for name, entry in reference.parameters.items():
            if (path := paths.get(id(whole[path_of(entry, whole)]))) is not None:
                names[name] = (path, entry not in whole)
        # autograd's graph, from which the sources are read, knows nothing of whole numbers
        integers = {name for name, array in case.data.items() if array.dtype.kind != "f"}
        sources = sources - set(names) or integers
    elif value != "loss":
        return None
    if len(sources) != 1:
        return None
    (source,) = sources
    return Part(value, module, source, names)


def computed(case, parts, replaced, saved):
    """Return the step's result with some of its inputs replaced."""
    read = {name for p in parts for name in (p.source, *p.names, f"grad_{p.value}")}
    if replaced and not saved and not read & set(replaced):
        return case.expected
    with torch.inference_mode(False), torch.enable_grad():
        first, *others = [through(case, part, replaced, saved) for part in parts]
    return np.asarray(to_numpy(sum(others, first)), np.float64)


def through(case, part, replaced, saved):
    """Return what a module, or the loss, gives, or what comes back through it to one input."""
    dtype, device = case.steps.precision.torch, case.steps.device

    def tensor(name):
        return as_tensor(replaced.get(name, case.given(name)), dtype, device)

    with ExitStack() as stack:
        leaves = {part.source: tensor(part.source)}
        if part.module is not None:
            parameters = stack.enter_context(borrowed(part.module, dtype, device))
            for name, (path, is_turned) in part.names.items():
                leaves[name] = parameters[path]
                leaves[name].grad = None  # it may be of another dtype than the data
                leaves[name].data = tensor(name).T if is_turned else tensor(name)
        for name, leaf in leaves.items():
            leaf.requires_grad_(case.is_gradient and name == case.quantity)
        given = leaves[part.source].clone()  # a module may write over its input
        if part.module is None:
            loss_fn, y = case.steps.network.reference.loss_fn, as_tensor(case.y, dtype, device)
            output = loss_fn(given, y)
        else:
            output = called(part, given, saved.get(part.value))
        if not case.is_gradient:
            return output.detach()
        if part.module is not None:
            upstream = tensor(f"grad_{part.value}")
            if upstream.shape != output.shape:
                raise ValueError("a gradient of another shape cannot go back")
            output = (output * upstream).sum()  # to give it to `grad` would import half of torch
        (grad,) = torch.autograd.grad(output, leaves[case.quantity])
        _, is_turned = part.names.get(case.quantity, ("", False))
        return grad.T if is_turned else grad


def called(part, given, other):
    """Return what a module gives; autograd takes the slope from `other` instead, where there is."""
    if other is None:
        return part.module(given)
    output: Any = None

    def unpack(tensor):
        if tensor.data_ptr() != output.data_ptr() or tensor.shape != other.shape:
            return tensor
        return torch.as_tensor(other).to(tensor)

    with torch.autograd.graph.saved_tensors_hooks(torch.Tensor.detach, unpack):
        output = part.module(given)
    return output
