"""A layer, as a Network: `out, cache = forward(*inputs)`, `dinputs = backward(dout, cache)`.

The upstream gradient `dout` is drawn at random, and the loss is sum(out * dout): its gradients are
what backward has to return. Float arrays among the inputs are the parameters of the Network, what
else is given passes through as it is. The functions may be PyTorch's as well; of these the
gradients of the inputs alone are judged.
"""

from dataclasses import replace

import numpy as np
import torch

from handgrad.errors import InputError
from handgrad.load import own
from handgrad.load.arrays import Array, is_unchanged
from handgrad.load.defined import called, names_of_inputs, owner_of, theirs, with_cells
from handgrad.load.layer_calls import Layer, drawn, roles_of
from handgrad.load.leaves import gradients_of, of_leaves
from handgrad.load.nested import flat, floats_in
from handgrad.load.noted_passes import first_run
from handgrad.load.programme import State
from handgrad.network import Network
from handgrad.run.hand_written import as_array, call
from handgrad.run.own_forward import Programme

WHOLE = "iub"  # kinds of arrays that have no gradient


def load(forward, backward, inputs):
    """Return the Network of a layer; see `handgrad.check_layer`.

    Raises InputError where the functions do not fit, or none of the inputs is a float array.
    """
    files, namespaces = theirs(forward, backward)
    where, state = called(forward), State(namespaces)
    layer = layer_of(forward, backward, inputs, state)
    passed = call(layer.run_forward, "the forward pass", where, {}, {})
    layer.roles = roles_of(backward, layer.taken, passed.returned)
    upstream = drawn(passed.returned, layer.roles, where)
    passes = layer.run_forward, layer.run_backward
    programme = Programme(*passes, files.__contains__, namespaces, where, layer.loss)
    programme = replace(programme, held=lambda: layer.held)
    params = {name: as_array(leaf) for name, leaf in layer.leaves.items()}
    whole = {name: as_array(layer.inputs[name]) for name in layer.taken}
    whole = {n: a for n, a in whole.items() if a is not None and a.ndim and a.dtype.kind in WHOLE}
    rows = next((len(array) for array in upstream.values() if array.ndim), 1)
    return with_cells(network_of(layer, programme, params, {**upstream, **whole}, np.zeros(rows)))


def layer_of(forward, backward, inputs, state):
    """Return the Layer of two functions, or methods of an object, and the inputs."""
    taken = names_of_inputs(forward, len(inputs))
    named = dict(zip(taken, inputs, strict=True))
    owners = [owner_of(function) for function in (forward, backward)]
    named |= {type(owner).__name__: owner for owner in owners if owner is not None}
    tensors = {name: one for name, one in named.items() if isinstance(one, torch.Tensor)}
    leaves = floats_in({name: one for name, one in named.items() if name not in tensors})
    leaves |= {name: one for name, one in tensors.items() if one.is_floating_point()}
    if not leaves:
        found = ", ".join(f"{name} is {type(one).__name__}" for name, one in named.items())
        raise InputError(
            f"{called(forward)}: no input is a float array, so there is no gradient to check"
            f"{f'; {found}' if found else ''}."
        )
    leaves = {name: leaves[name] for name in taken if name in leaves} | leaves
    return Layer(forward, backward, named, leaves, taken, state)


def network_of(layer, programme, params, x, y):
    """Return the Network of a layer that is ready to be run."""
    first = first_run(programme, params, x, y)
    held = floats_in(layer.held)
    data = {id(held[name]): name for name in params if name in held}
    data |= {id(layer.held[name]): name for name in layer.inputs}
    grads = [g for g in gradients_of(first, data) if not is_handed(g, layer, first.returned)]
    by_name = of_leaves(first.params, first, data, grads, targets=())
    of_inputs, notes = in_order(layer, first, grads, by_name)
    params = {name: w for name, w in params.items() if name in layer.inputs or name in of_inputs}
    where = programme.where
    draft = Network(where, params, x, y, source=where, notes=notes)
    final = {(grad.given, grad.names[0][0]) for grad in of_inputs.values()}
    grads = [g for g in grads if (g.given, g.names[0][0]) not in final]  # what they were before
    return own.paired(draft, first, data, grads, of_inputs)


def is_handed(grad, layer, returned):
    """Say whether a gradient is one that backward was given, and did nothing with."""
    way = next((way for way, array in layer.handed.items() if id(array) == grad.given), None)
    if way is None or grad.is_partial or grad.given in map(id, flat(returned).values()):
        return False
    return "[" in way or {name for name, _ in grad.names} <= grad.arguments  # else a line's own


def in_order(layer, first, grads, by_name):
    """Return the gradients of the inputs, by name, and notes on how they were told.

    A tuple is in the order of the inputs, or of those that are float arrays; but where its names
    say another one, they are gone by.
    """
    if isinstance(first.returned, dict):
        return by_name, ()
    floats = [name for name in layer.taken if name in first.params]
    is_of_all = len(first.returned) == len(layer.taken)
    order = layer.taken if is_of_all else floats
    found, own_place = dict(by_name), {id(grad): name for name, grad in by_name.items()}
    moved = []
    for name, (way, value) in zip(order, ways_of(first.returned), strict=False):
        array = as_array(value)
        if name not in floats or array is None or array.dtype.kind != "f":
            continue
        grad = next((g for g in grads if g.given == id(value) and is_unchanged(g, array)), None)
        if grad is None or grad.shown.startswith("["):  # nothing assigns it
            grad = Array(way, array, [(f"d{name}", None)], way=way)
        elif not grad.shown:  # the return statement computes it
            grad.names.append((f"d{name}", None))
        if own_place.get(id(grad), name) == name:
            found[name] = grad
        else:
            moved.append(grad.shown)
    if not moved:
        return found, ()
    return found, (
        f"backward returns {', '.join(moved)} in another order than that of the inputs: judged "
        "by their names.",
    )


def ways_of(returned):
    """Return what a backward pass returned, one by one, with the way to each."""
    return [(f"[{number}]", value) for number, value in enumerate(returned)]
