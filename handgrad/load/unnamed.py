"""Gradients of what has no name in the forward pass: `grad`, `delta`, `dout` of an expression.

What such an array is the gradient of, its numbers say: autograd has the gradient of each result of
an operation. For one that is wrong, and equals none of them, see `placed`. Some people carry a
multiple, the number of samples or -1, up to the line where a weight's gradient, or its update,
takes it out again.
"""

import re
from typing import Any

import numpy as np

from handgrad.load.arrays import is_near
from handgrad.load.multiples import at_of, scaled, times_of
from handgrad.run.precision import FLOAT64, arithmetic
from handgrad.run.reference import Substitute, run_reference

LIKE = re.compile(r"(?i)(grad|delta|d_).*|.*_(grad|delta)")  # what looks like a gradient's name
TOLD = 8  # names in a note


def unnamed(left, known, truth, counts, found=None):
    """Return the gradients of what has no name, by the Results that they are the gradients of.

    `left` are the gradients that no name was found for, in order, `known` those with one; `truth`
    has autograd's of each Result. `counts` are the multiples that may be carried, `found` is what
    is known so far. Returns those that are right, and a list of the others.
    """
    found, others = dict(found or {}), []
    copies = copies_in(left, known)
    for grad in left:
        same = None if id(grad) in copies else same_as(grad, truth, counts, found)
        if same is None:
            others.append(grad)
        else:
            result, scale = same
            found[result] = scaled(grad, scale)
    return found, others


def copies_in(left, known):
    """Return the ids of the gradients that are others under another name.

    `dscore = dmargin` has numbers that are right, for another quantity.
    """
    seen, copies = {grad.given for grad in known}, set()
    for grad in left:
        if grad.given in seen and not grad.is_partial:
            copies.add(id(grad))
        seen.add(grad.given)
    return copies


def same_as(grad, truth, counts, taken=()):
    """Return the Result that an array is the gradient of, by its numbers, and how many times.

    Of several it is the last, None is returned if there is none.
    """
    value = grad.value
    if value.size < 2 or not np.isfinite(value).all() or not np.ptp(value):
        return None
    for result in reversed(truth):
        if result in taken:
            continue
        scale = times_of(value, truth[result], counts)
        if scale is not None:
            return result, scale
    return None


def misnamed(found, wrong, truth, judge, counts):
    """Return which gradients are called after a value, but are those of a Result.

    `grad_h` may be what has come through h's own derivative. It counts only where others are right
    then that were wrong. Returns a dict from `grad_h` to the Result and the gradient.
    """
    exact: dict[str, Any] = {}
    for name in wrong:
        grad = found[name.removeprefix("grad_")]
        same = same_as(grad, truth, counts, [result for result, _ in exact.values()])
        if same is not None:
            result, scale = same
            exact[name] = result, scaled(grad, scale)

    def still_wrong(some):
        return len(judge(dict(some.values()), some.keys()))

    # all at once first: a step of four gates is right only if the gradients of all are moved
    if len(exact) > 1 and still_wrong(exact) < len(wrong) - len(exact):
        return exact
    moved: dict[str, Any] = {}
    off = len(wrong)
    for name, one in exact.items():
        more = {**moved, name: one}
        count = still_wrong(more)
        if count < off - 1:
            moved, off = more, count
    return moved


def judge_of(reference, grads):
    """Return the `judge` that `unnamed` asks.

    `grads` has the hand-written gradients by the names that the reference knows, and `reference`
    makes the Network with its reference watching some Results as well, by their names. It takes a
    dict of Results to gradients, and the names to leave out, and returns the names of what is wrong
    then, each given its own inputs. Into a dict `slopes` it puts those of all Results.
    """

    def judge(found, without=(), slopes=None):
        names = {result: f"result[{result.number}]" for result in found}
        own = {name: grad for name, grad in grads.items() if name not in without}
        own |= {f"grad_{names[r]}": grad.value for r, grad in found.items()}
        with np.errstate(all="ignore"), arithmetic(FLOAT64):
            network = reference(names, without, slopes)
            right = run_reference(network, FLOAT64, substitute=Substitute(own)).quantities
        return [name for name in own if name in right and not is_near(own[name], right[name])]

    return judge


def notes_on_others(left, found, first):
    """Say which arrays look like gradients, but are none that could be judged."""
    judged = {at_of(grad) for grad in found.values()}
    known = {*first.params, *(note.name for note in first.values.values())}
    shown = {name for grad in found.values() for name, _ in grad.names}
    names = [grad.shown for grad in left if grad.at not in judged and grad.value.size > 1]
    names = [name for name in names if name not in shown]
    others = [n for n in dict.fromkeys(names) if LIKE.fullmatch(n) or of_known(n, known)][:TOLD]
    if not others:
        return []
    return [f"Not judged, since no numbers tell what it is the gradient of: {', '.join(others)}."]


def of_known(name, known):
    """Say whether a name begins with d and that of a value: `dhnext`, where there is an `h`."""
    return name.startswith("d") and any(name[1:].startswith(other) for other in known if other)
