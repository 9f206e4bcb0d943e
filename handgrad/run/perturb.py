"""The reference run again, with every number moved a little at random.

Two correct programs differ, because each step rounds and they round in different orders. How
much that can matter depends on the network and its numbers (a sum that cancels to nearly 0
keeps only the errors of its terms), so it is measured, by stochastic arithmetic (CESTAC: Vignes
1993; Monte Carlo arithmetic: Parker 1997): it needs no analysis of the network.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
import torch

from handgrad.run.hand_written import can_run, run_again
from handgrad.run.precision import FLOAT32, FLOAT64, mapped, rounded
from handgrad.run.reference import Substitute, run_reference

# By how many last bits the numbers are moved in each of the float32 runs. One run may happen to
# round nothing where another does: a difference of equal numbers, say.
COARSE = (0.0, 1.0, 1.0, 1.0)

CHAOTIC = 3  # runs of one last bit, as they are

# So many numbers can be computed with in extended precision, which has no fast products.
FEW = 10**5

# What a reference raises that refuses numbers.
REFUSALS = (RuntimeError, IndexError, ValueError)


class Drawn(NamedTuple):
    """A run in which rounding was larger, and what that says of the dtype under test.

    `trace` has its quantities, `scale` brings its moves down to one last bit. What is smaller than
    `underflow` says nothing.
    """

    trace: dict[str, np.ndarray]
    scale: float
    underflow: float = 0.0


def perturb(array, eps, tiny, rng, scale=1.0, inward=False):
    """Move every entry by `scale` last-bit steps of a dtype, up or down at random.

    With `inward` the moves are towards 0 or none: what may not be beyond 1 stays within it.

    `eps` and `tiny` are the dtype's machine epsilon and its smallest normal number. No step is
    shorter than `tiny`: what is smaller, one program may keep where another flushes it to 0
    (1 / (1 + exp(720)) does, exp(-720) / (1 + exp(-720)) does not). A zero stays zero.
    """
    bits = rng.bit_generator.random_raw(array.size // 64 + 1).view(np.uint8)  # not rng.bytes: slow
    up = np.unpackbits(bits, count=array.size).reshape(array.shape)
    top = 1.0 if inward else 1 + scale * eps
    moved = np.asarray(np.array([1 - scale * eps, top])[up] * array)
    small = np.abs(array) < tiny / eps
    if small.any():
        step = scale * tiny * np.sign(array[small])
        moved[small] = array[small] + step * (2.0 * up[small] - 1)
    return moved


def steps_at_once(precision):
    """Return how many last-bit steps a draw moves every number by; its moves count for one.

    As many as bring it halfway to 1 in digits, the square root of machine epsilon: still so
    little that what follows is proportional, and enough that a jump which is none of rounding
    (a tie of two maxima, a residual of exactly 0 under an absolute value) hardly counts. One, of
    the short precisions: there that many would be a move of some per cent, proportional to which
    is nothing, and such jumps are what their rounding makes.
    """
    return 1.0 if is_short(precision) else precision.eps**-0.5


def perturbed_runs(network, precision, exact, given=None) -> Iterator[Drawn]:
    """Yield runs in which rounding is larger than that of `precision`, as far as they can be had.

    First of all, for a short precision, comes one in which every number is rounded to it: two that
    are apart may be the same there. Then in turn some in float32, which show the rounding inside
    of each operation (TF32 and bfloat16 compute inside of it in float32), and `precision.draws`
    in float64. Moved are the weights, x, y, every value and gradient as it goes on, and every
    tensor that autograd keeps for the way back (a saturated sigmoid's slope s (1 - s) loses its
    digits to the rounding of s). After the first of each comes what the hand-written side itself
    loses, over the whole run and so by more than a step: its formulas may round more than
    PyTorch's, log(sum(exp(s))) - s[y] near 0, say.

    `exact` is the Run that is perturbed, in float64; `given` are the hand-written quantities that
    went on in it.
    """
    run = partial(perturbed_run, network, Substitute(given or {}, kinks=exact.kinks))
    rng, at_once = np.random.default_rng(0), steps_at_once(precision)
    inside, underflow = min(1.0, precision.eps / FLOAT32.eps), underflow_of(precision)
    if is_short(precision):
        yield from run(partial(rounded_to, precision=precision), FLOAT64)
    for number in range(max(len(COARSE), precision.draws)):
        if number < len(COARSE):
            how = partial(draw, precision=FLOAT32, steps=COARSE[number], rng=rng)
            yield from run(how, FLOAT32, inside, underflow)
        if number < precision.draws:
            how = partial(draw, precision=precision, steps=at_once, rng=rng)
            yield from run(how, FLOAT64, 1 / at_once)
        if number == 0 and not is_short(precision) and given is not None and can_run(network):
            here = ran(network, precision.numpy)
            if here is not None:
                yield from backward_runs(network, precision, exact, here, rng)
            yield from hand_written_runs(network, precision, exact, given, here)


def chaotic_runs(network, precision, exact, given=None) -> Iterator[Drawn]:
    """Yield runs in which everything is moved by one last bit, as they are.

    In a chain that amplifies whatever it gets, a move that is scaled down to a last bit says
    nothing of what rounding comes to. Nor does one of the input say what a formula loses that has a
    large number in between: so these are moved as well, see handgrad.run.exact.
    """
    unmoved = Substitute(given or {}, kinks=exact.kinks, is_exact=True)
    rng = np.random.default_rng(1)
    for _ in range(CHAOTIC):
        how = partial(draw, precision=precision, steps=1.0, rng=rng)
        yield from perturbed_run(network, unmoved, how, FLOAT64)


def is_short(precision):
    """Say whether a precision is shorter than float32."""
    return precision.eps > FLOAT32.eps


def rounded_to(array, precision, inward=False):
    """Return an array in float64 with its entries as a precision has them."""
    return np.asarray(rounded(np.asarray(array), precision), np.float64)


def underflow_of(precision):
    """Return below what size a number says nothing in a float32 run for `precision`."""
    return 0.0 if precision.tiny >= FLOAT32.tiny else FLOAT32.tiny / FLOAT32.eps


def ran(network, dtype, move=None):
    """Return a trace of the hand-written side, None where it fails: see `run_again`.

    It ran before; what it has against a dtype, or against other numbers, is its own affair.
    """
    try:
        return run_again(network, dtype, move)
    except KeyboardInterrupt:
        raise
    except BaseException:
        return None


def backward_runs(network, precision, exact, here, rng):
    """Yield what the hand-written backward pass loses to the last bits of the values that it gets.

    That of a softmax minus 1 is one of 1, however near to 1 the softmax is: no digit of it is left,
    while autograd's way through the logarithm may keep one. `here` is the hand-written trace.
    """
    move = partial(draw, precision=precision, steps=1.0, rng=rng)
    there = ran(network, precision.numpy, move)
    if there is None:
        return
    most = half_the_digits(exact, precision.eps)
    grads = {
        name: array + without_jumps(np.subtract(there[name], here[name]), most)
        for name, array in exact.quantities.items()
        if name.startswith("grad_") and name in here and name in there
        if here[name].shape == there[name].shape == array.shape
    }
    yield Drawn({**exact.quantities, **grads}, 1.0)


def hand_written_runs(network, precision, exact, given, here):
    """Yield what the hand-written side loses to rounding, as it shows against more digits.

    That of float64 against extended precision, where the machine has it and the arrays are few;
    else that of float32 against float64, where what is lost to saturation does not show. Of what is
    tied in one of the two, or exactly 0, and not in the other, a slope jumps: no rounding, which
    takes half the digits of the largest number at most. `here` is the trace in the dtype itself.
    """
    has_more = np.finfo(np.longdouble).eps < FLOAT64.eps / 2
    few = sum(array.size for array in exact.quantities.values()) <= FEW
    narrow, wide = FLOAT32.numpy, FLOAT64.numpy
    if has_more and few and precision.name == "float64":
        narrow, wide = FLOAT64.numpy, np.dtype(np.longdouble)
    is_at_hand = wide == FLOAT64.numpy and precision.name == FLOAT64.name
    less = here if narrow == precision.numpy else ran(network, narrow)
    more = given if is_at_hand else ran(network, wide)
    if less is None or more is None:
        return
    eps = float(np.finfo(narrow).eps)
    most = half_the_digits(exact, eps)
    trace = {
        name: array + without_jumps(np.subtract(less[name], more[name]), most)
        for name, array in exact.quantities.items()
        if name in less and name in more
        if less[name].shape == more[name].shape == array.shape
    }
    scale = precision.eps / eps
    yield Drawn(trace, scale, 0.0 if narrow == FLOAT64.numpy else underflow_of(precision))


def half_the_digits(exact, eps):
    """Return the most that rounding takes: half the digits of the largest number there is."""
    finite = (array[np.isfinite(array)] for array in map(np.atleast_1d, exact.quantities.values()))
    return eps**0.5 * max(np.abs(array).max(initial=0.0) for array in finite)


def without_jumps(lost, most):
    """Return what was lost to rounding, in float64: 0 where it is more than `most`."""
    return np.where(np.abs(lost) > most, 0, lost).astype(np.float64)


def draw(array, precision, steps, rng, inward=False):
    """Return an array in float64 with its entries moved; labels, indices and masks as they are."""
    if np.asarray(array).dtype.kind != "f":
        return array
    array = np.asarray(array, np.float64)
    if not steps:
        return array
    return perturb(array, precision.eps, precision.tiny, rng, steps, inward)


def are_whole(y):
    """Say whether targets are whole numbers, classes or yes and no: nothing rounds them.

    Beyond what float32 can count every number is whole.
    """
    return np.array_equal(y, np.rint(y)) and bool(np.abs(y).max(initial=0) < 1 / FLOAT32.eps)


def perturbed_run(network, unmoved, perturbation, precision, scale=1.0, underflow=0.0):
    """Run the reference with everything moved by `perturbation`, and yield what that says.

    Where the reference refuses, it may be a loss that takes no number beyond 1: then all moves
    are inward. Nothing is yielded where that does not help: a constant in float64, say, that no
    float32 will go with.
    """

    def moved(_, tensor):
        if not tensor.is_floating_point():
            return tensor
        return torch.from_numpy(np.asarray(perturbation(tensor.detach().numpy()))).to(tensor)

    def kept(tensor):
        is_leaf = tensor.is_leaf if tensor._base is None else tensor._base.is_leaf
        return tensor if is_leaf and tensor.requires_grad else moved(None, tensor)  # once is enough

    y = network.y
    drawn = replace(
        network,
        params=mapped(perturbation, network.params),
        x=mapped(perturbation, network.x),
        y=y if are_whole(y) else perturbation(y),
    )
    substitute = unmoved._replace(move=moved)
    try:
        with torch.autograd.graph.saved_tensors_hooks(kept, lambda tensor: tensor):
            trace = run_reference(drawn, precision, substitute=substitute).quantities
    except REFUSALS:
        if not perturbation.keywords.get("inward"):
            how = partial(perturbation, inward=True)
            yield from perturbed_run(network, unmoved, how, precision, scale, underflow)
        return
    yield Drawn(trace, scale, underflow)
