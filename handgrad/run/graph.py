"""What autograd's graph says of a step: what it was computed from, and its longest sum."""

from math import isqrt, prod
from typing import NamedTuple

import torch

# What makes each entry of its result from one entry of each of its inputs, or moves entries.
# Nodes are called after the operation: ReluBackward0, AddBackward0.
# fmt: off
ENTRYWISE = frozenset([
    "Abs", "Add", "Addcdiv", "Addcmul", "Alias", "AsStrided", "Cat", "Clamp", "ClampMax",
    "ClampMin", "Clone", "Cos", "Detach", "Div", "Elu", "Erf", "Exp", "Exp2", "Expand", "Expm1",
    "Gelu", "Hardtanh", "LeakyRelu", "Lerp", "Log", "Log1P", "Log2", "LogSigmoid", "Logaddexp",
    "MaskedFill", "Maximum", "Minimum", "Mish", "Mul", "Neg", "Permute", "Pow", "Reciprocal",
    "Relu", "Repeat", "Reshape", "ReshapeAlias", "Rsqrt", "Rsub", "Select", "Sgn", "Sigmoid",
    "Silu", "Sin", "Slice", "Softplus", "Split", "Sqrt", "Squeeze", "Stack", "Sub", "Substituted",
    "T", "Tanh", "Threshold", "ToCopy", "Transpose", "Unbind", "UnsafeView", "Unsqueeze", "View",
    "Where",
])
# fmt: on
PRODUCTS = frozenset(["Addmm", "Addmv", "Addbmm", "Baddbmm", "Bmm", "Dot", "Mm", "Mv"])
REDUCTIONS = frozenset(["Amax", "Amin", "Mean", "Sum"])
# What has a derivative everywhere, which changes as smoothly.
# fmt: off
SMOOTH = PRODUCTS | frozenset([
    "Add", "Alias", "Clone", "Cos", "Exp", "Expand", "Mean", "Mul", "Neg", "Permute", "Reshape",
    "ReshapeAlias", "Sigmoid", "Sin", "Softmax", "Squeeze", "Sub", "Sum", "T", "Tanh", "ToCopy",
    "Transpose", "UnsafeView", "Unsqueeze", "View",
])
# fmt: on
# What PyTorch cuts off: see handgrad.run.exact.
CUT_OFF = frozenset(["BinaryCrossEntropy", "Softplus"])
ALONG_AN_AXIS = frozenset(["Cumprod", "Cumsum", "LogSoftmax", "Softmax"])


class Step(NamedTuple):
    """What a named value, or the loss, was computed from, and how long the sums were.

    `sources` are the names that it was computed from. `forward` is the number of terms of the
    longest sum on the way to the value, `backward` that of the gradients of its sources.
    `is_cut_off` says that PyTorch has a function on the way that it cuts off, `is_smooth` that all
    are known to have no kink.
    """

    sources: set[str]
    forward: int
    backward: int
    is_cut_off: bool
    is_smooth: bool


def step_of(tensor, names):
    """Return the Step that gave a tensor; `names` has those of parameters and inputs."""
    found, seen, waiting = set(), set(), [tensor.grad_fn]
    forward = backward = 1
    is_cut_off, is_smooth = False, True
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        quantity = getattr(node, "quantity", None)
        if quantity is not None:  # a Substituted: a named value
            found.add(quantity)
        elif hasattr(node, "variable"):  # a leaf: a parameter, or an input
            found.add(names.get(node.variable))
        else:
            there, back = terms(node)
            forward, backward = max(forward, there), max(backward, back)
            is_cut_off = is_cut_off or kind_of(node) in CUT_OFF
            is_smooth = is_smooth and kind_of(node) in SMOOTH
            waiting += [next_node for next_node, _ in node.next_functions]
    return Step(found - {None}, forward, backward, is_cut_off, is_smooth)


def terms(node):
    """Return how many terms the longest sum of an operation has, and that of its derivative.

    They are read off the shapes of its result and of its inputs. What is not known to go entry
    by entry is taken to add up along the longest side of any of its arrays.
    """
    kind = kind_of(node)
    result, inputs = shape_of(node, 0), [shape_of(*edge) for edge in node.next_functions]
    known = [shape for shape in inputs if shape is not None]
    if result is None or not known:
        return 1, 1
    size, sizes = prod(result), [prod(shape) for shape in known]
    if kind in ENTRYWISE:
        return 1, max(size // max(smallest, 1) for smallest in sizes)
    if kind in REDUCTIONS:
        return sizes[0] // max(size, 1), 1
    if kind in PRODUCTS and None not in inputs[-2:]:
        a, b = sizes[-2:]  # addmm's first input is what the product is added to
        back = max(isqrt(size * b // max(a, 1)), isqrt(size * a // max(b, 1)))
        return isqrt(a * b // max(size, 1)), max(back, *(size // max(one, 1) for one in sizes))
    if kind in ALONG_AN_AXIS:
        axis = node._saved_dim  # of an unsigned type: -1 is a large number
        length = result[axis if axis < len(result) else axis - 2**64] if result else 1
        return length, length
    if kind == "Convolution":
        weight = prod(inputs[1] or node._saved_weight.shape)
        return weight // result[1], max(weight, size // result[1])
    longest = max(along_longest_side(shape) for shape in (result, *known))
    return longest, longest


def kind_of(node):
    """Return the name of the operation that a node differentiates: `Relu` of ReluBackward0."""
    return node.name().rstrip("0123456789").removesuffix("Backward")


def shape_of(node, number):
    """Return the shape of one of a node's results, None where it is not known."""
    metadata = getattr(node, "_input_metadata", None)  # of the gradient that comes into it
    return tuple(metadata[number].shape) if metadata else None


def along_longest_side(shape):
    """Return how many entries an array of this shape has along all of its sides but the shortest.

    A product or a sum over the rows runs along the longest side of an array.
    """
    return prod(shape) // max(min(shape, default=1), 1)


class Substituted(torch.autograd.Function):
    """Pass on `instead` in place of `computed`; on the way back, the identity."""

    @staticmethod
    def forward(ctx, computed, instead, name):
        """Return a copy of `instead`; `name` is left in autograd's graph."""
        ctx.quantity = name
        return instead.clone()

    @staticmethod
    def backward(ctx, grad):
        """Return the gradient as it came, as that of `computed`."""
        return grad, None, None
