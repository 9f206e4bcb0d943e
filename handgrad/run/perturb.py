"""The reference run again, with every number moved a little at random.

Two correct programs differ, because each step rounds and they round in different orders. How
much that can matter depends on the network and its numbers (a sum that cancels to nearly 0
keeps only the errors of its terms), so it is measured, by stochastic arithmetic (CESTAC: Vignes
1993; Monte Carlo arithmetic: Parker 1997): it needs no analysis of the network.
"""

from dataclasses import replace
from functools import partial

import numpy as np
import torch

from handgrad.run.precision import FLOAT32, FLOAT64, mapped
from handgrad.run.reference import Substitute, run_reference

# By how many last bits the numbers are moved in each of the float32 runs. One run may happen to
# round nothing where another does: a difference of equal numbers, say.
COARSE = (0.0, 1.0, 1.0, 1.0)

# What a reference raises that refuses numbers.
REFUSALS = (RuntimeError, IndexError, ValueError)


def perturb(array, eps, tiny, rng, scale=1.0):
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


def perturbed_runs(network, precision, exact, given, unscaled=0):
    """Yield traces of runs in which rounding is larger than that of `precision`, and by how much.

    First some in float32, which show the rounding inside of each operation (TF32 and bfloat16
    have none there, they compute inside of it in float32); then so many `precision.draws` in
    float64. Moved are the weights, x, y, every value and gradient as it goes on, and every tensor
    that autograd keeps for the way back (a saturated sigmoid's slope s (1 - s) loses its digits
    to the rounding of s). Each run comes with the factor that scales its moves down to one last
    bit. So many draws as are `unscaled` follow with moves of one last bit, as they are. `exact`
    is the Run that is perturbed, in float64; `given` are the hand-written quantities that went
    on in it.
    """
    unmoved, rng = Substitute(given, kinks=exact.kinks), np.random.default_rng(0)
    try:
        for steps in COARSE if precision.eps <= FLOAT32.eps else ():
            perturbation = partial(draw, precision=FLOAT32, steps=steps, rng=rng)
            coarse = perturbed_run(network, unmoved, perturbation, FLOAT32)
            yield without_underflow(coarse, exact, precision), precision.eps / FLOAT32.eps
    except REFUSALS:  # a constant in float64, say, that no float32 will go with
        pass
    at_once = steps_at_once(precision)
    for steps in precision.draws * [at_once] + unscaled * [1.0]:
        perturbation = partial(draw, precision=precision, steps=steps, rng=rng)
        try:
            yield perturbed_run(network, unmoved, perturbation, FLOAT64), 1 / steps
        except REFUSALS:  # a loss that takes no number beyond 1, say: what there is must do
            return


def without_underflow(coarse, exact, precision):
    """Return a float32 trace with what is too small for float32 as it is in float64."""
    if precision.tiny >= FLOAT32.tiny:
        return coarse
    smallest = FLOAT32.tiny / FLOAT32.eps
    result = {}
    for name, array in exact.quantities.items():
        is_too_small = (np.abs(array) < smallest) & (np.abs(coarse[name]) < smallest)
        result[name] = np.where(is_too_small, array, coarse[name])
    return result


def draw(array, precision, steps, rng):
    """Return an array in float64 with its entries moved; labels, indices and masks as they are."""
    if np.asarray(array).dtype.kind != "f":
        return array
    array = np.asarray(array, np.float64)
    return perturb(array, precision.eps, precision.tiny, rng, steps)


def perturbed_run(network, unmoved, perturbation, precision):
    """Run the reference with everything moved by `perturbation`, and return the trace."""

    def moved(_, tensor):
        if not tensor.is_floating_point():
            return tensor
        return torch.from_numpy(np.asarray(perturbation(tensor.detach().numpy()))).to(tensor)

    y = network.y
    drawn = replace(
        network,
        params=mapped(perturbation, network.params),
        x=mapped(perturbation, network.x),
        # whole numbers in y are classes, or yes and no: nothing rounds them
        y=y if np.array_equal(y, np.rint(y)) else perturbation(y),
    )
    saved = torch.autograd.graph.saved_tensors_hooks(
        lambda tensor: moved(None, tensor), lambda tensor: tensor
    )
    with saved:
        return run_reference(drawn, precision, substitute=unmoved._replace(move=moved)).quantities
