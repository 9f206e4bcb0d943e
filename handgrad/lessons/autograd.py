"""The way back through a reference: which of autograd's steps take a gradient where."""

from contextlib import ExitStack
from functools import partial

import torch

from handgrad.run.hand_written import named_inputs
from handgrad.run.outputs import unused
from handgrad.run.precision import as_tensor
from handgrad.run.reference import Substituted, borrowed, path_of, put_parameters, watched


def ways_back(network):
    """Run a Network's reference in float64, and return the ways that autograd walks back.

    For each value and the loss, in the order of computing: what it was computed from, by name,
    and the names of autograd's steps on the way there, as a list. An input of whole numbers has
    no gradient: it is found where a submodule is given it as it is, and no step leads there.
    """
    reference = network.reference
    found: dict[str, dict[str, list[str]]] = {}
    with ExitStack() as stack:
        parameters = stack.enter_context(borrowed(reference.model, torch.float64, "cpu"))
        put_parameters(network, parameters, torch.float64, "cpu")
        leaves = {
            parameters[path_of(entry, parameters)]: name
            for name, entry in reference.parameters.items()
        }
        inputs = named_inputs(network.x)
        tensors = {name: as_tensor(x, torch.float64, "cpu") for name, x in inputs.items()}
        leaves |= {t.requires_grad_(): n for n, t in tensors.items() if t.is_floating_point()}
        whole = {n: t for n, t in tensors.items() if not t.requires_grad}

        def note(name, _module, given, output):
            """Note the ways back from a submodule's output, and mark it for what comes after."""
            if not isinstance(output, torch.Tensor) or output.grad_fn is None:
                return None
            name = unused(name, found)
            found[name] = {n: [] for n, t in whole.items() if is_in(t, given)}
            found[name] |= ways(output, leaves)
            return Substituted.apply(output, output.detach(), name)

        for path, name in watched(reference).items():
            module = reference.model.get_submodule(path)
            stack.callback(module.register_forward_hook(partial(note, name)).remove)
        loss = reference.loss_fn(
            reference.model(*tensors.values()), as_tensor(network.y, torch.float64, "cpu")
        )
        found["loss"] = ways(loss, leaves)
    return found


def is_in(tensor, given):
    """Say whether a tensor is one of those that a submodule was given."""
    return any(tensor is one for one in given)


def ways(tensor, leaves):
    """Return for each named quantity that a tensor was computed from the steps on the way back."""
    nodes = walk(tensor.grad_fn, leaves, {})
    return {name: [node.name() for node in way] for name, way in nodes.items()}


def walk(node, leaves, done):
    """Return for each named quantity below a node of autograd's graph the nodes from here to it."""
    if node is None:
        return {}
    if hasattr(node, "quantity"):  # what `note` marked
        return {node.quantity: []}
    if hasattr(node, "variable"):  # a parameter, or an input
        return {leaves[node.variable]: []} if node.variable in leaves else {}
    if node not in done:
        done[node] = {}
        for below, _ in node.next_functions:
            for name, way in walk(below, leaves, done).items():
                before = done[node].get(name, [node])
                done[node][name] = list(dict.fromkeys([*before, *way]))
    return done[node]
