"""A custom `torch.autograd.Function`, or another callable with a backward of its own, as a Network.

Its inputs are the Network's inputs, and the loss is the sum of its outputs times upstream
gradients that are drawn at random. The reference is the function's own forward pass, as autograd
differentiates it, or the one that is given. An autograd.Function can hide from autograd what it
computes; so its own forward is taken for a reference where finite differences agree with it.
"""

from dataclasses import replace

import numpy as np
import torch
from torch import nn

from handgrad.errors import InputError
from handgrad.explain.finite_difference import slopes
from handgrad.load.arguments import arguments_of, precision_of
from handgrad.network import Network, Reference
from handgrad.run.hand_written import as_array, failure, in_dtype, one_line, run_hand_written
from handgrad.run.precision import FLOAT64, rounded
from handgrad.run.reference import run_reference
from handgrad.run.subject import subject_of
from handgrad.run.torch_function import Moved, Pass, as_always, output_names, run_function

SMALL = 2.0**-40  # of a number: no last bit of float32, and many of float64


def load(function, inputs, reference=None):
    """Return a Network, its Precision, the Subject and its Arguments; see `check_function`."""
    subject = subject_of(function)
    arguments = arguments_of(subject, inputs)
    precision = precision_of(arguments)
    first = first_pass(subject, arguments)
    if not first.outputs:
        raise InputError(
            f"{subject.name}: none of its outputs has a gradient, so there is nothing to judge: "
            f"it must return a floating point tensor that depends on {arguments.judged[0]}."
        )
    network, body = network_of(subject, arguments, precision, first), reference or subject.body
    wide, notes = is_wide(network), list(network.notes)
    if body is not None:
        network = replace(
            network, reference=reference_of(subject, arguments, precision, first, body)
        )
    if reference is not None:
        check_reference(network, precision)
    elif (
        why := "all that is known of it is its backward pass"
        if body is None
        else hidden(network, wide)
    ):
        notes.append(opaque(subject, why, wide))
        network = replace(network, reference=None)
    else:
        notes += flat_in(network, precision, arguments)
    if not wide:
        notes.append(
            f"Judged in {precision.name} alone: in float64 {subject.name} has no more digits, or "
            "does not run."
        )
        quantities = run_hand_written(network)
        network = replace(network, quantities=quantities, forward=None, backward=None)
    return replace(network, notes=tuple(notes)), precision, subject, arguments


def opaque(subject, why, wide):
    """Say that the forward pass is no reference; raise InputError where nothing else is."""
    cannot = f"Autograd cannot see through the forward pass of {subject.name}: {why}"
    if not wide:
        raise InputError(
            f"{cannot}; and finite differences tell nothing, since in float64 it has no more "
            "digits or does not run: give `reference=`, the same function in PyTorch."
        )
    return (
        f"{cannot}. So finite differences in float64 are the judge; with `reference=`, the "
        "same function in PyTorch, the causes can be told as well."
    )


def first_pass(subject, arguments):
    """Return a Pass on the inputs as they were given; raise InputError, with the line, if it fails.

    Ones come in.
    """
    given = {name: arguments.like(name).detach() for name in arguments.places}
    code = getattr(getattr(subject.function, "forward", subject.call), "__code__", None)
    try:
        return run_function(
            subject, arguments, given, lambda outputs: [torch.ones_like(o) for o in outputs]
        )
    except (InputError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise failure(subject.name, error, code.co_filename if code else "") from error


class Passes:
    """The forward and the backward pass of a Subject, as passes of a Network."""

    def __init__(self, subject, arguments, precision, first):
        self.subject, self.arguments, self.precision = subject, arguments, precision
        self.shapes = [output.shape for output in first.outputs]
        self.names = output_names(len(self.shapes))

    def tensors(self, x):
        """Return inputs as tensors, in the dtypes that were given unless x is in another one."""
        return {name: self.tensor(array, self.arguments.like(name)) for name, array in x.items()}

    def tensor(self, array, other):
        """Return an array as a tensor of the dtype, and on the device, of another one."""
        tensor = torch.from_numpy(in_float64(array))
        is_own = not other.is_floating_point() or array.dtype == self.precision.numpy
        return tensor.to(other.device, other.dtype if is_own else tensor.dtype)

    def upstream(self, y):
        """Return what gives for each output its part of y, in its dtype."""
        sizes = [shape.numel() for shape in self.shapes]
        parts = torch.from_numpy(in_float64(y)).reshape(-1).split(sizes)
        return lambda outputs: [
            part.reshape(one.shape).to(one) for part, one in zip(parts, outputs, strict=True)
        ]

    def run(self, x, y=None) -> Pass:
        """Return the Pass on x, with y as the gradient that comes in.

        PyTorch has no extended precision, in which the engine looks for what is lost to rounding:
        there the pass is that in float64, with all that it rounds moved.
        """
        upstream = None if y is None else self.upstream(y)
        is_longer = any(array.dtype == np.longdouble for array in x.values())
        mode = Moved() if is_longer else None
        return run_function(self.subject, self.arguments, self.tensors(x), upstream, mode=mode)

    def forward(self, params, x, y):
        """Return the outputs, and the loss."""
        outputs = self.run(x).outputs
        loss = weighted(outputs, torch.from_numpy(in_float64(y)).to(outputs[0]))
        values = {name: as_array(out) for name, out in zip(self.names, outputs, strict=True)}
        return {**values, "loss": as_array(loss)}

    def backward(self, params, x, y, values):
        """Return the gradients: those that come in, and those that backward returns."""
        found = self.run(x, y)
        coming = zip(self.names, self.upstream(y)(found.outputs), strict=True)
        result = {f"grad_{name}": as_array(part) for name, part in coming}
        for name, grad in found.gradients.items():
            if grad is not None:
                result[f"grad_{name}"] = as_array(grad)
            elif self.arguments.like(name).requires_grad:
                result[f"grad_{name}"] = np.zeros_like(x[name])
        return result


def in_float64(array):
    """Return a copy of an array, in float64 where PyTorch has no dtype as long."""
    return np.array(array, np.float64 if array.dtype == np.longdouble else None, order="C")


def weighted(outputs, y):
    """Return the sum of all outputs times y, which is their gradient."""
    return (torch.cat([output.reshape(-1) for output in outputs]) * y.reshape(-1)).sum()


def network_of(subject, arguments, precision, first):
    """Return a Network of a Subject's passes, without a reference."""
    passes = Passes(subject, arguments, precision, first)
    x = {name: as_array(arguments.like(name)) for name in arguments.places}
    size = sum(output.numel() for output in first.outputs)
    y = np.random.default_rng(0).standard_normal(size)
    if len(first.outputs) == 1:
        y = y.reshape(first.outputs[0].shape)
    return Network(
        name=subject.name,
        params={},
        x=rounded(x, precision),
        y=rounded(y, precision),
        forward=passes.forward,
        backward=passes.backward,
        notes=notes_on(arguments, first),
    )


def notes_on(arguments, first):
    """Say how the function is judged, and which inputs are not."""
    names = " + ".join(f"({n} * grad_{n}).sum()" for n in output_names(len(first.outputs)))
    notes = [f"The loss is {names}, with gradients drawn at random."]
    none = [name for name, grad in first.gradients.items() if grad is None]
    none = [name for name in none if not arguments.like(name).requires_grad]
    if none:
        notes.append(
            f"Not judged, since backward returns None for it: {', '.join(none)}. Give it with "
            "requires_grad=True where it should have a gradient."
        )
    return tuple(notes)


def reference_of(subject, arguments, precision, first, body):
    """Return the Reference: a module whose submodule `out` calls a body on the inputs."""

    def run(_, *tensors):
        named, filled = dict(zip(arguments.places, tensors, strict=True)), list(arguments.given)
        for name, place in arguments.places.items():
            filled[place] = own_dtype(named[name], arguments.given[place], precision)
        with as_always(arguments, named):
            found = body(*filled)
        every = found if isinstance(found, tuple | list) else (found,)
        outputs = [every[place] for place in first.places if place < len(every)]
        expected, shapes = ([tuple(o.shape) for o in each] for each in (first.outputs, outputs))
        if shapes != expected:
            raise InputError(
                f"{subject.name}: the reference must return the same shapes, {expected}, found "
                f"{shapes}."
            )
        return outputs[0] if len(outputs) == 1 else tuple(outputs)

    model = nn.Module()
    model.out = out = type(subject.name, (nn.Module,), {"forward": run})()  # causes name its class
    model.forward = out.__call__
    names = output_names(len(first.outputs))
    values = {"out": "out"} | {f"out[{i}]": n for i, n in enumerate(names) if n != "out"}
    return Reference(model, {}, loss_of, values, with_inputs=True)


def own_dtype(tensor, other, precision):
    """Return a copy, which may be written over, in the dtype of another tensor.

    Where it is in another dtype than that of the run as it is, it stays so.
    """
    is_own = not tensor.is_floating_point() or tensor.dtype == precision.torch
    return tensor.clone().to(other.dtype if is_own else tensor.dtype)


def loss_of(output, y):
    """Return the loss of what the reference gives."""
    return weighted(output if isinstance(output, tuple) else [output], y)


def is_wide(network):
    """Say whether the forward pass computes in float64 where its inputs are float64.

    Where it does, moves that are far below a last bit of float32 are not lost.
    """
    wide = in_dtype(network, np.float64)
    moved = {n: x * (1 + SMALL) if x.dtype.kind == "f" else x for n, x in wide.x.items()}
    try:
        here, there = (network.forward({}, x, wide.y) for x in (wide.x, moved))
    except Exception:  # it may have whatever it likes against float64
        return False
    return here["loss"].dtype == np.float64 and any(
        not np.array_equal(here[name], there[name]) for name in here if name != "loss"
    )


def hidden(network, wide):
    """Say why autograd does not see through the reference's forward pass, or None if it does.

    `wide` says that the pass computes in float64, so that finite differences can be asked as well.
    """
    network = in_dtype(network, np.float64)
    try:
        trace = run_reference(network, FLOAT64).quantities
    except Exception as error:
        return f"under autograd, in float64, it raises {one_line(error).rstrip('.')}"
    measured = slopes(network, trace) if wide else []
    wrong = [slope.name for slope in measured if slope.agrees is False]
    if wrong:
        return f"the gradient that it finds for {', '.join(wrong)} is not the slope of the output"
    return None


def flat_in(network, precision, arguments):
    """Say for which inputs the forward pass itself has slope 0, as a rounding has."""
    trace = run_reference(network, precision).quantities
    flat = [name for name in arguments.judged if not trace[f"grad_{name}"].any()]
    if not flat:
        return ()
    return (
        f"By the forward pass the gradient of {', '.join(flat)} is 0 everywhere, as that of a "
        "rounding is: where another one is meant (straight through), give it as `reference=`.",
    )


def check_reference(network, precision):
    """Raise InputError where the reference that was given fails, or returns other shapes."""
    try:
        run_reference(network, precision)
    except (InputError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise InputError(
            f"{network.name}: the reference fails on these inputs: {one_line(error)}."
        ) from error
