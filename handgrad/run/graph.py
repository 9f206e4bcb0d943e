"""What autograd's graph says of a step: what it was computed from, and its longest sum."""

from math import ceil, isqrt, prod
from typing import Any, NamedTuple

import torch

# What only moves entries, or copies them. Nodes are called after the operation: SliceBackward0.
# fmt: off
MOVES = frozenset([
    "Alias", "AsStrided", "Cat", "Clone", "ConstantPadNd", "CopyBackwards", "CopySlices", "Detach",
    "Diagonal", "Expand", "Flip", "Permute", "Repeat", "Reshape", "ReshapeAlias", "Roll", "Select",
    "SelectScatter", "Slice", "SliceScatter", "Split", "Squeeze", "Stack", "Substituted", "T",
    "ToCopy", "Transpose", "Tril", "Triu", "Unbind", "Unfold", "UnsafeView", "Unsqueeze", "View",
])
# What makes each entry of its result from one entry of each of its inputs.
ENTRYWISE = MOVES | frozenset([
    "Abs", "Acos", "Acosh", "Add", "Addcdiv", "Addcmul", "Asin", "Asinh", "Atan", "Atan2", "Atanh",
    "Ceil", "Celu", "Clamp", "ClampMax", "ClampMin", "Copysign", "Cos", "Cosh", "Deg2Rad", "Div",
    "Elu", "Erf", "Erfc", "Exp", "Exp2", "Expm1", "Fill", "Floor", "Fmax", "Fmin", "Fmod", "Gelu",
    "Glu", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "Hypot", "LeakyRelu", "Lerp",
    "Log", "Log10", "Log1P", "Log2", "LogSigmoid", "Logaddexp", "Logaddexp2", "Logit", "MaskedFill",
    "Maximum", "Minimum", "Mish", "Mul", "NanToNum", "Neg", "Pow", "PreluKernel", "Rad2Deg",
    "Reciprocal", "Relu", "Remainder", "Round", "Rsqrt", "Rsub", "Sgn", "Sigmoid", "Sign", "Silu",
    "Sin", "Sinc", "Sinh", "Softplus", "Softshrink", "Sqrt", "Sub", "Tan", "Tanh", "Threshold",
    "Trunc", "Where", "Xlogy",
])
# What takes entries as they are; their gradients come together, as often as they were taken.
TAKEN = frozenset([
    "Embedding", "Gather", "IndexSelect", "MaxPool1D", "MaxPool2DWithIndices",
    "MaxPool3DWithIndices", "Sort", "Take", "Topk",
])
# What adds up its terms, and whose derivative goes entry by entry.
LOSSES = frozenset([
    "BinaryCrossEntropy", "BinaryCrossEntropyWithLogits", "HuberLoss", "MseLoss", "NllLoss",
    "NllLoss2D", "SmoothL1Loss", "SoftMarginLoss",
])
# fmt: on
PRODUCTS = frozenset(["Addmm", "Addmv", "Addbmm", "Baddbmm", "Bmm", "Dot", "Mm", "Mv"])
REDUCTIONS = frozenset(["Amax", "Amin", "Max", "Mean", "Min", "Nansum", "Sum"])
REDUCTIONS_BOTH_WAYS = frozenset(["LinalgVectorNorm", "Logsumexp", "Prod", "Std", "Var"])
# What has a derivative everywhere, which changes as smoothly.
# fmt: off
SMOOTH = PRODUCTS | MOVES | frozenset([
    "Add", "Cos", "Cumsum", "Exp", "Index", "IndexPut", "Mean", "MseLoss", "Mul", "Neg", "Sigmoid",
    "Sin", "Softmax", "Sub", "Sum", "Tanh",
])
# fmt: on
# What PyTorch cuts off: see handgrad.run.exact.
CUT_OFF = frozenset(["BinaryCrossEntropy", "Softplus"])
ALONG_AN_AXIS = frozenset(
    ["Cummax", "Cummin", "Cumprod", "Cumsum", "LogSoftmax", "Logcumsumexp", "Softmax"]
)


class Step(NamedTuple):
    """What a named value, or the loss, was computed from, and how long the sums were.

    `sources` has the names that it was computed from, each with the number of terms of the
    longest sum on the way back to it: its gradient's. `forward` is that on the way to the value.
    `is_cut_off` says that PyTorch has a function on the way that it cuts off, `is_smooth` that all
    are known to have no kink.
    """

    sources: dict[str, int]
    forward: int
    is_cut_off: bool
    is_smooth: bool


def step_of(tensor, names):
    """Return the Step that gave a tensor; `names` has those of parameters and inputs."""
    sources: dict[str, int] = {}
    longest: dict[Any, int] = {}  # of each node: the longest sum on any way back to it
    waiting = [(tensor.grad_fn, 1)]
    forward, is_cut_off, is_smooth = 1, False, True
    while waiting:
        node, so_far = waiting.pop()
        if node is None or longest.get(node, 0) >= so_far:
            continue
        longest[node] = so_far
        quantity = getattr(node, "quantity", None)
        if quantity is None and hasattr(node, "variable"):  # a leaf: a parameter, or an input
            quantity = names.get(node.variable)
        elif quantity is None:
            there, back = terms(node)
            forward, is_cut_off = max(forward, there), is_cut_off or kind_of(node) in CUT_OFF
            is_smooth = is_smooth and kind_of(node) in SMOOTH
            ways = zip(node.next_functions, back, strict=True)
            waiting += [(source, max(so_far, length)) for (source, _), length in ways]
        if quantity is not None:  # a Substituted has the name of its value
            sources[quantity] = so_far
    return Step(sources, forward, is_cut_off, is_smooth)


def terms(node):
    """Return how many terms the longest sum of an operation has, and that to each of its inputs.

    They are read off the shapes of its result and of its inputs. What is not known to go entry
    by entry is taken to add up along the longest side of any of its arrays.
    """
    kind = kind_of(node)
    result, inputs = shape_of(node, 0), [shape_of(*edge) for edge in node.next_functions]
    known = [shape for shape in inputs if shape is not None]
    if result is None or not known:
        return 1, [1] * len(inputs)
    size, largest = prod(result), prod(known[0])
    uses = [ceil(size / max(prod(shape), 1)) if shape is not None else 1 for shape in inputs]
    if kind in ("Cat", "Stack"):
        return 1, [1] * len(inputs)
    if kind in ENTRYWISE:  # an entry may be used for several of the result's
        return 1, uses
    if kind == "Index":
        return 1, [most_at_one_place(node)] * len(inputs)
    if kind == "IndexPut":  # each entry may be that at several places, or added to one
        return 1 + most_at_one_place(node) * node._saved_accumulate, uses
    if kind in PRODUCTS and None not in inputs[-2:]:
        a, b = (prod(shape) for shape in known[-2:])  # addmm's first is what is added
        to_a, to_b = isqrt(size * b // max(a, 1)), isqrt(size * a // max(b, 1))
        return isqrt(a * b // max(size, 1)), [*uses[:-2], max(to_a, uses[-2]), max(to_b, uses[-1])]
    longest = max(along_longest_side(shape) for shape in (result, *known))
    forward, back = longest, longest
    if kind in REDUCTIONS:
        forward, back = largest // max(size, 1), 1
    elif kind in REDUCTIONS_BOTH_WAYS:
        forward = back = largest // max(size, 1)
    elif kind in LOSSES:
        back = 1
    elif kind in TAKEN:
        forward = 1
    elif kind == "NativeLayerNorm":  # along a row; the weight and the bias are used in each
        forward = prod(node._saved_normalized_shape)
        return forward, [forward, *uses[1:]]
    elif kind in ALONG_AN_AXIS:
        axis = node._saved_dim  # of an unsigned type: -1 is a large number
        forward = back = result[axis if axis < len(result) else axis - 2**64] if result else 1
    elif kind == "Convolution":
        weight = prod(inputs[1] or node._saved_weight.shape)
        forward, back = weight // result[1], max(weight, size // result[1])
    return forward, [back] * len(inputs)


def kind_of(node):
    """Return the name of the operation that a node differentiates: `Relu` of ReluBackward0.

    That of a write into a part of an array is torch::autograd::CopySlices.
    """
    return node.name().rpartition(":")[2].rstrip("0123456789").removesuffix("Backward")


def most_at_one_place(node):
    """Return how often the place that the indices of an operation name most often is named."""
    indices = [index for index in node._saved_indices if index is not None]
    if not indices or any(index.dtype is torch.bool for index in indices):
        return 1
    places = torch.stack(torch.broadcast_tensors(*indices)).reshape(len(indices), -1)
    _, counts = torch.unique(places, dim=1, return_counts=True)
    return max(counts.tolist(), default=1)


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
        """Return a copy of `instead`; `name` is left in autograd's graph.

        It lies in memory as `computed` does: whether a reshaped array is a view depends on that.
        """
        ctx.quantity = name
        return torch.empty_like(computed).copy_(instead)

    @staticmethod
    def backward(ctx, grad):
        """Return the gradient as it came, as that of `computed`."""
        return grad, None, None
