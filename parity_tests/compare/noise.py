"""What rounding alone can do, measured: the tolerance of every comparison.

Two correct programs differ, because each step rounds and they round in different orders. How
much that can matter depends on the network and its numbers (a sum that cancels to nearly 0
keeps only the errors of its terms), so it is measured: run the reference in float64, run it
again with every number moved a little at random, and see how far each quantity moves for each
last bit of the dtype under test. This is stochastic arithmetic (CESTAC: Vignes 1993; Monte Carlo
arithmetic: Parker 1997), and it needs no analysis of the network.
"""

import copy
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from parity_tests.compare.trace import HandOn, reference_trace, usable
from parity_tests.compare.weights import copy_in

# Modules with a kink at 0: on which side the input lies decides the derivative.
KINKED = (nn.ReLU, nn.LeakyReLU, nn.PReLU, nn.ReLU6, nn.ELU, nn.CELU, nn.SELU)


class Rounding(NamedTuple):
    """Of one quantity: how far rounding moves it, and its largest entry in float64."""

    noise: float
    largest: float


def jiggle(array, eps, tiny, rng, scale=1.0):
    """Move every entry by `scale` last-bit steps of a dtype, up or down at random.

    `eps` and `tiny` are the dtype's machine epsilon and its smallest normal number. No step is
    shorter than `tiny`: what is smaller, one program may keep where another flushes it to 0
    (1 / (1 + exp(720)) does, exp(-720) / (1 + exp(-720)) does not). A zero stays zero.
    """
    step = scale * np.maximum(eps * np.abs(array), tiny) * np.sign(array)
    return array + step * (2 * rng.integers(0, 2, size=np.shape(array)) - 1)


def steps_at_once(precision):
    """Return how many last-bit steps a draw moves every number by; its moves count for one.

    As many as bring it halfway to 1 in digits, the square root of machine epsilon: still so
    little that what follows is proportional, and enough that a jump which is none of rounding
    (a tie of two maxima, a residual of exactly 0 under an absolute value) hardly counts.
    """
    return precision.eps**-0.5


def float64_traces(reference, params, x, y, precision, given=None, exact=None):
    """Run the reference in float64 on the CPU: once as it is, then jiggled for each draw.

    Jiggled are the weights, x, y, every value and gradient as it is handed on, and every
    tensor that autograd keeps for the way back (a saturated sigmoid's slope s (1 - s) loses
    its digits to the rounding of s). Yields 1 + `precision.draws` traces, one after the other. With
    `given`, a hand-written trace, its values and gradients are what is handed on, step by step.
    `exact` is the first of the traces, and what `note_kinks` noted of it, where they are known.
    """
    if exact is not None:
        yield exact[0]
    model = copy.deepcopy(reference.model).to("cpu", torch.float64)
    reference = reference._replace(model=model)
    params = {name: np.asarray(w, np.float64) for name, w in params.items()}
    eps, tiny = precision.eps, precision.tiny
    scale = steps_at_once(precision)
    rng = np.random.default_rng(0)

    def draw(array):
        whole = np.issubdtype(np.asarray(array).dtype, np.integer)  # labels, indices
        return array if whole else jiggle(np.asarray(array, np.float64), eps, tiny, rng, scale)

    def moved(array, tensor):
        kept = tensor if (own := usable(array, tensor)) is None else own
        return torch.from_numpy(np.asarray(draw(kept.detach().numpy())))

    def run(x, y, hand_over):
        if given is None and not hand_over:
            return reference_trace(reference, x, y)
        over = moved if hand_over else usable
        return reference_trace(
            reference,
            x,
            y,
            lambda name, tensor: over((given or {}).get(name), tensor),
            lambda name, grad: over((given or {}).get(f"grad_{name}"), grad),
            None if given is None else {},
        )

    if exact is None:
        copy_in(model, reference.names, params)
        inputs: list[torch.Tensor] = []
        with note_kinks(model, inputs):
            exact = run(x, y, hand_over=False), inputs
        yield exact[0]
    inputs = exact[1]
    for _ in range(precision.draws):
        copy_in(model, reference.names, {name: draw(w) for name, w in params.items()})
        saved = torch.autograd.graph.saved_tensors_hooks(
            lambda tensor: moved(None, tensor) if tensor.is_floating_point() else tensor,
            lambda tensor: tensor,
        )
        # whole numbers in y are classes, or yes and no: nothing rounds them
        y_draw = y if np.array_equal(y, np.rint(y)) else draw(y)
        try:
            with hold_kinks(model, inputs), saved:
                jiggled = run(draw(x), y_draw, hand_over=True)
        except RuntimeError:  # a loss that takes no number beyond 1, say: what there is must do
            return
        yield jiggled


@contextmanager
def note_kinks(model, inputs):
    """Append to `inputs` what goes into each kinked module."""
    with kink_hooks(model, lambda tensor: inputs.append(tensor.detach().clone())):
        yield


@contextmanager
def hold_kinks(model, inputs):
    """Keep every entry on the side of its kink that `inputs` has it on.

    A jiggled entry that crosses 0 would switch a whole gradient on or off: no small move, and
    no rounding of the arithmetic.
    """
    remaining = iter(inputs)

    def hold(tensor):
        noted = next(remaining)
        crossed = torch.sign(tensor.detach()) != torch.sign(noted)
        return HandOn.apply(tensor, torch.where(crossed, noted, tensor), None)

    with kink_hooks(model, hold):
        yield


@contextmanager
def kink_hooks(model, hook):
    """Call `hook` on the input of each kinked module; what it returns replaces the input."""
    with ExitStack() as hooks:
        for module in model.modules():
            if isinstance(module, KINKED):
                handle = module.register_forward_pre_hook(lambda _, args: hook(*args))
                hooks.callback(handle.remove)
        yield


def roundings(traces, precision):
    """Yield a Rounding for each quantity, better measured after each trace of `float64_traces`.

    The noise is taken over the whole quantity, since all draws can miss one entry. From
    the first, exact trace it is one last-bit step of the largest entry, or the smallest normal
    number, and each draw can only add to it: what is no more than rounding by an earlier
    measure is none by a later one.
    """
    eps, tiny = precision.eps, precision.tiny
    exact = next(traces)
    largest = {name: max_finite(array) for name, array in exact.items()}
    noise = {name: max(eps * size, tiny) for name, size in largest.items()}
    yield {name: Rounding(noise[name], largest[name]) for name in exact}
    for draw in traces:
        for name, array in exact.items():
            move = max_finite(draw[name] - array) / steps_at_once(precision)
            noise[name] = max(noise[name], move)
        yield {name: Rounding(noise[name], largest[name]) for name in exact}


def safety(trace, precision):
    """Return the factor between noise and tolerance.

    The longest sum of a network runs over the rows of its largest array.
    """
    longest = max(array.size // max(min(array.shape, default=1), 1) for array in trace.values())
    return precision.factor(longest)


def tolerances(rounding, trace, parameters, precision):
    """Return each quantity's tolerance: safety x noise, and 0 for the weights both sides got."""
    factor = safety(trace, precision)
    return {
        name: 0.0 if name in parameters else factor * measured.noise
        for name, measured in rounding.items()
    }


def max_finite(array):
    """Return the largest finite magnitude in an array, 0 where there is none."""
    magnitudes = np.abs(array[np.isfinite(array)] if np.ndim(array) else np.atleast_1d(array))
    return float(magnitudes[np.isfinite(magnitudes)].max(initial=0.0))
