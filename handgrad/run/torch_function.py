"""How a custom `torch.autograd.Function` runs, or any other callable that brings its own backward.

Its backward pass is called by autograd as in any training, in the dtype and the layout of the
inputs that were given. What autograd silently does to what it returns (a sum, a cast) is noted.
"""

from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch

from handgrad.errors import InputError
from handgrad.run.mode import DispatchMode

# What rounds; not what chooses or moves entries, which may be compared with each other.
# fmt: off
ROUNDING = frozenset([
    "_softmax", "addmm", "add", "baddbmm", "bmm", "cos", "cumsum", "div", "erf", "exp", "expm1",
    "linalg_vector_norm", "log", "log1p", "logsumexp", "mean", "mm", "mul", "pow", "prod",
    "reciprocal", "rsqrt", "sigmoid", "sin", "sqrt", "std", "sub", "sum", "tanh", "var",
])
# fmt: on
LAST_BITS = 32
NARROW = (torch.float32, torch.bfloat16, torch.float16)


class Arguments(NamedTuple):
    """What it is called with: `given` are all arguments, `places` says where each tensor is.

    `judged` are the names of the tensors whose gradients are asked for.
    """

    given: tuple[Any, ...]
    places: dict[str, int]
    judged: tuple[str, ...]

    def like(self, name):
        """Return the tensor that was given under a name."""
        return self.given[self.places[name]]


@dataclass
class Seen:
    """What a backward pass was seen to do.

    `misfits` has the gradients that autograd would refuse or cast, by the argument's place, and
    `summed` the shapes of those that it adds up. `unneeded` are the places of gradients that nobody
    asked for, `changed` says what was written over.
    """

    misfits: dict[int, torch.Tensor] = field(default_factory=dict)
    summed: dict[int, tuple[int, ...]] = field(default_factory=dict)
    unneeded: list[int] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)


class Pass(NamedTuple):
    """One forward and backward pass: its outputs that have a gradient, and the gradients by name.

    `places` are those of the outputs among all that it returns; `is_random` says that forward draws
    random numbers.
    """

    outputs: list[torch.Tensor]
    places: list[int]
    gradients: dict[str, torch.Tensor | None]
    seen: Seen
    is_random: bool = False


class Laid(torch.autograd.Function):
    """A tensor's numbers in another one's layout; the gradient goes through as it comes."""

    @staticmethod
    def forward(ctx, tensor, other):
        """Return a copy of `tensor` with the strides of `other`."""
        ctx.set_materialize_grads(False)  # where there is none, there shall be none
        return laid_out(tensor, other)

    @staticmethod
    def backward(ctx, grad):
        """Return the gradient as it came."""
        return grad, None


class Incoming(torch.autograd.Function):
    """A loss, 0, whose gradient is what is given: in its own layout, as autograd may hand it on.

    (To give it to `torch.autograd.grad` would import half of torch.)
    """

    @staticmethod
    def forward(ctx, output, gradient):
        """Return 0."""
        ctx.gradient = gradient
        return output.new_zeros(())

    @staticmethod
    def backward(ctx, _):
        """Return the gradient as it was given."""
        return ctx.gradient, None


class Widened(DispatchMode):
    """Keep in float64 what a function casts to a narrower dtype on its way, also on the way back.

    `x.float()` is there for the sake of bfloat16; the derivation is to be judged without rounding.
    """

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        """Call PyTorch's operation `func` with float64 in place of a narrower dtype."""
        kwargs = kwargs or {}
        return func(*args, **{n: torch.float64 if a in NARROW else a for n, a in kwargs.items()})


class Moved(DispatchMode):
    """Move the result of each operation that rounds by some last bits, up or down at random.

    That shows what a pass loses to rounding inside, where PyTorch has no dtype with more digits.
    By up to so many that no two of them just cancel.
    """

    def __init__(self):
        super().__init__()
        self.rng = torch.Generator().manual_seed(0)

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        """Call PyTorch's operation `func`, and move what it gives."""
        result = func(*args, **(kwargs or {}))
        rounds = func.overloadpacket.__name__ in ROUNDING and isinstance(result, torch.Tensor)
        if not rounds or not result.is_floating_point():
            return result
        bits = LAST_BITS * (2 * torch.rand(result.shape, generator=self.rng).to(result) - 1)
        return result * (1 + bits * torch.finfo(result.dtype).eps)


def laid_out(tensor, other):
    """Return a copy of a tensor with another one's strides, where these can hold its numbers."""
    if 0 in other.stride():
        shape = zip(other.stride(), other.shape, strict=True)
        first = tensor[tuple(slice(1) if not stride else slice(size) for stride, size in shape)]
        result = first.clone().expand(tensor.shape)
    else:
        about = {"dtype": tensor.dtype, "device": tensor.device}
        result = torch.empty_strided(other.shape, other.stride(), **about).copy_(tensor)
    return result if same(result, tensor) else tensor.clone()  # windows may overlap


def same(one, other):
    """Say whether two tensors, or two times None, have the same bits."""
    if one is None or other is None:
        return one is other
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    return bool(((one == other) | ((one != one) & (other != other))).all())


@contextmanager
def as_always(arguments, tensors):
    """Draw the same random numbers in every run, and keep float64 where the inputs are so."""
    device = next(iter(tensors.values())).device
    real = [name for name, tensor in tensors.items() if tensor.is_floating_point()]
    is_wide = all(tensors[name].dtype is torch.float64 for name in real)
    is_narrow = any(arguments.like(name).dtype in NARROW for name in real)
    with ExitStack() as stack:
        stack.enter_context(torch.random.fork_rng([device] if device.type == "cuda" else []))
        torch.manual_seed(0)
        if is_wide and is_narrow:
            stack.callback(torch.set_default_dtype, torch.get_default_dtype())
            torch.set_default_dtype(torch.float64)
            stack.enter_context(Widened())
        yield


def forward_pass(subject, arguments, tensors, judged, seen=None):
    """Call a Subject on tensors by name; return its outputs with a gradient, their places, leaves.

    `judged` are the names of those whose gradient is asked for.
    """
    filled, leaves = list(arguments.given), {}
    for name, place in arguments.places.items():
        leaf = tensors[name].detach().clone().requires_grad_(name in judged)
        filled[place] = Laid.apply(leaf, arguments.given[place])
        leaves[name] = leaf
    call = subject.call
    if subject.function is not None and seen is not None:
        call = watched(subject.function, filled, seen).apply
    found = call(*filled)
    every = found if isinstance(found, tuple | list) else [found]
    places = [
        place
        for place, one in enumerate(every)
        if isinstance(one, torch.Tensor) and one.requires_grad and one.is_floating_point()
    ]
    return [every[place] for place in places], places, leaves


def run_function(subject, arguments, tensors, upstream=None, judged=None, mode=None):
    """Return a Pass of a Subject on tensors by name.

    `upstream(outputs)` returns the gradient that comes in for each output, None for one that is not
    used; without it there is no backward pass. `judged` are the names that a gradient is asked for,
    None all that are judged. A `mode` sees all operations.
    """
    judged, seen = arguments.judged if judged is None else judged, Seen()
    with (
        torch.inference_mode(False),
        torch.enable_grad(),
        as_always(arguments, tensors),
        mode or nullcontext(),
    ):
        before = torch.get_rng_state()
        outputs, places, leaves = forward_pass(subject, arguments, tensors, judged, seen)
        is_random = not torch.equal(before, torch.get_rng_state())
        if upstream is None or not outputs:
            return Pass(outputs, places, {}, seen, is_random)
        wanted = [leaves[name] for name in judged]
        pairs = zip(outputs, upstream(outputs), strict=True)
        losses = [Incoming.apply(output, grad) for output, grad in pairs if grad is not None]
        grads = torch.autograd.grad(sum(losses), wanted, allow_unused=True)
    found: dict[str, torch.Tensor | None] = {
        name: seen.misfits.get(arguments.places[name], grad)
        for name, grad in zip(judged, grads, strict=True)
    }
    return Pass(outputs, places, found, seen, is_random)


def watched(function, given, seen):
    """Return an autograd.Function like `function` that notes what its backward pass does.

    `given` are the arguments that it is going to be called with.
    """

    def backward(ctx, *grads):
        kept = [None if grad is None else grad.clone() for grad in grads]
        saved = [(t, t.clone()) for t in ctx.saved_tensors if t is not None]
        found = function.backward(ctx, *grads)
        names = [f"grad_{name}" for name in output_names(len(grads))]
        seen.changed += [
            name for name, a, b in zip(names, grads, kept, strict=True) if not same(a, b)
        ]
        if not all(same(tensor, before) for tensor, before in saved):
            seen.changed.append("what forward saved")
        found = found if isinstance(found, tuple) else (found,)
        return tuple(fitting(function, ctx, given, seen, found))

    return type(function.__name__, (function,), {"backward": staticmethod(backward)})


def fitting(function, ctx, given, seen, found):
    """Yield for each argument the gradient that autograd takes; what it would not take is noted."""
    count = len(given)
    if len(found) < count or any(grad is not None for grad in found[count:]):
        raise InputError(
            f"{function.__name__}: backward returns {len(found)} gradient"
            f"{'s' * (len(found) != 1)} for the {count} inputs of forward: it must return one for "
            "each, None where there is none."
        )
    for place, (argument, grad) in enumerate(zip(given, found, strict=False)):
        if grad is not None and not isinstance(argument, torch.Tensor):
            raise InputError(
                f"{function.__name__}: backward returns a gradient for input {place + 1}, which is "
                f"{type(argument).__name__} and no tensor: it must return None there."
            )
        if grad is not None and not ctx.needs_input_grad[place]:
            seen.unneeded.append(place)
            grad = None
        elif isinstance(grad, torch.Tensor):
            if grad.shape != argument.shape and is_spread(argument.shape, grad.shape):
                seen.summed[place] = tuple(grad.shape)
                grad = grad.sum_to_size(argument.shape)
            if grad.shape != argument.shape or grad.dtype != argument.dtype:
                seen.misfits[place] = grad
        yield None if place in seen.misfits else grad


def is_spread(shape, larger):
    """Say whether autograd adds up a gradient of the larger shape for an input of this one."""
    last = larger[len(larger) - len(shape) :]
    return len(shape) <= len(larger) and all(n in (1, m) for n, m in zip(shape, last, strict=True))


def output_names(count):
    """Return what the outputs are called: `out`, or `out1`, `out2` and so on."""
    return ["out"] if count == 1 else [f"out{number}" for number in range(1, count + 1)]
