"""Gradients of what has no name in the forward pass: `grad`, `delta`, `dout` of an expression.

What such an array is the gradient of, its numbers say: autograd has the gradient of each result of
an operation. One that is wrong equals none of them; it belongs to the result that, given it, makes
right what the backward pass computes from it.
"""

import numpy as np

from handgrad.load.pairing import equals
from handgrad.run.precision import FLOAT64, arithmetic
from handgrad.run.reference import Substitute, run_reference

MANY = 40  # results that are tried for one gradient
CLOSE = 1e-6  # relative: the same but for the order of sums


def unnamed(left, truth, judge):
    """Return the gradients of what has no name, by the Results that they are the gradients of.

    `left` are the gradients that no name was found for, in order; `truth` has autograd's of each
    Result. `judge` takes a dict of Results to gradients, and returns how many gradients are wrong
    then, each given its own inputs.
    """
    found = {}
    for grad in left:
        fitting = [r for r in truth if r not in found and equals(grad.value, truth[r])]
        if fitting:
            found[fitting[-1]] = grad
    wrong = [grad for grad in left if not any(grad is one for one in found.values())]
    count = judge(found) if wrong else 0
    for grad in wrong:
        if not count:
            break
        shape = grad.value.shape
        tried = [r for r in truth if truth[r].shape == shape and r not in found][-MANY:]
        counts = {result: judge({**found, result: grad}) for result in tried}
        best = min(counts, key=lambda result: counts[result], default=None)
        if best is not None and counts[best] < count:
            found[best], count = grad, counts[best]
    return found


def judge_of(reference, grads):
    """Return the `judge` that `unnamed` asks.

    `grads` has the hand-written gradients by the names that the reference knows, and `reference`
    makes the Network with its reference watching some Results as well, by their names.
    """

    def judge(found):
        names = {result: f"result_{result.number}" for result in found}
        given = {**grads, **{f"grad_{names[r]}": grad.value for r, grad in found.items()}}
        with np.errstate(all="ignore"), arithmetic(FLOAT64):
            run = run_reference(reference(names), FLOAT64, substitute=Substitute(given))
        right = run.quantities
        return sum(not is_near(grads[name], right[name]) for name in grads if name in right)

    return judge


def is_near(one, other):
    """Say whether two arrays are the same but for rounding."""
    if one.shape != other.shape:
        return False
    finite = np.isfinite(one)
    if not np.array_equal(finite, np.isfinite(other)):
        return False
    largest = np.abs(one[finite]).max(initial=0.0)
    return bool((np.abs(one - other)[finite] <= CLOSE * largest).all())
