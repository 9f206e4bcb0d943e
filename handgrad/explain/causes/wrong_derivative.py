"""An activation's derivative that was taken at the wrong place, by half, or is another's."""

import numpy as np

from handgrad.explain.activation import ACTIVATIONS, derivative_of, sigmoid
from handgrad.explain.entrywise import entrywise
from handgrad.findings import Cause
from handgrad.run.kinks import KINKED

KIND = "wrong-derivative"
LOOKS_LIKE = "taken at the output, not the input, or the reverse, half of it, twice, or another's"
EXAMPLES = [
    (
        "two_layer_relu",
        "grad_h_relu * (h > 0)",
        "grad_h_relu * (h < 0)",
        {"grad_h": "wrong-derivative"},
    ),
    (
        "three_layer_sigmoid_bias",
        "grad_h2_sigm * h2_sigm * (1 - h2_sigm)",
        'grad_h2_sigm * values["h2"] * (1 - values["h2"])',
        {"grad_h2": "wrong-derivative"},
    ),
    (
        "three_layer_sigmoid_bias",
        "grad_h2_sigm * h2_sigm * (1 - h2_sigm)",
        "grad_h2_sigm * sigmoid(h2_sigm) * (1 - sigmoid(h2_sigm))",
        {"grad_h2": "wrong-derivative"},
    ),
    (
        "three_layer_sigmoid_bias",
        "grad_h2_sigm * h2_sigm * (1 - h2_sigm)",
        "grad_h2_sigm * h2_sigm",
        {"grad_h2": "wrong-derivative"},
    ),
    (
        "three_layer_sigmoid_bias",
        "grad_h1_sigm * h1_sigm * (1 - h1_sigm)",
        "grad_h1_sigm * (1 - h1_sigm)",
        {"grad_h1": "wrong-derivative"},
    ),
    (
        "shared_weight",
        "grad_h3_tanh * (1 - h3_tanh**2)",
        'grad_h3_tanh * (1 - values["h3"] ** 2)',
        {"grad_h3": "wrong-derivative"},
    ),
    (
        "shared_weight",
        "grad_h3_tanh * (1 - h3_tanh**2)",
        "(1 - h3_tanh**2)",
        {"grad_h3": "wrong-derivative"},
    ),
    (
        "three_layer_sigmoid_bias",
        "grad_h2_sigm * h2_sigm * (1 - h2_sigm)",
        "grad_h2_sigm * (h2_sigm * (1 - h2_sigm)) ** 2",
        {"grad_h2": "wrong-derivative"},
    ),
    (
        "two_layer_relu",
        "grad_h_relu * (h > 0)",
        "grad_h_relu * np.where(h > 0, 1, 0.1)",
        {"grad_h": "wrong-derivative"},
    ),
]

# What people write in the place of an activation's slope, of its input and of its output.
OF_EITHER = {
    "{}": lambda z: z,
    "1 - {}": lambda z: 1 - z,
    "1 + {}": lambda z: 1 + z,
    "{}**2": np.square,
    "{} * (1 - {})": lambda z: z * (1 - z),
    "{} * (1 + {})": lambda z: z * (1 + z),
    "1 - {}**2": lambda z: 1 - z**2,
    "1 + {}**2": lambda z: 1 + z**2,
    "(1 - {})**2": lambda z: (1 - z) ** 2,
    "1 / {}": lambda z: 1 / z,
    "sigmoid({})": sigmoid,
    "sigmoid({}) * (1 - sigmoid({}))": lambda z: sigmoid(z) * sigmoid(-z),
    "tanh({})": np.tanh,
    "1 - tanh({})**2": lambda z: 1 - np.tanh(z) ** 2,
    "exp({})": np.exp,
}

ENTRIES_ON_A_SIDE = 2  # two numbers are not the same one by chance


def find(case):
    """Explain a derivative that was taken at the wrong place, by half, or is another one's."""
    for step in entrywise(case):
        if sentence := as_a_whole(case, step) or of_a_place(case, step) or instead(case, step):
            what = derivative_of(case, step.user, step.activation)
            return Cause(KIND, f"In `{case.name}`, {what} {sentence}.")
    return None


def as_a_whole(case, step):
    """Return what was done with the right slope, or None."""
    up, slope, rest = step.upstream, step.slope, step.rest
    came = f"`grad_{step.user}`" if step.user else "what comes in"
    if step.user is None and case.fits(rest + up):
        return f"is missing: it equals what comes in{meant(case, step, '; multiply by ')}"
    if case.fits(rest + slope):
        return f"stands alone: {came} is not multiplied by it"
    if case.fits(rest + up + slope):
        return f"is added to {came}, where it multiplies it"
    if case.fits(step.gives(slope**2)):
        return "is applied twice"
    with np.errstate(all="ignore"):
        if case.fits(rest + up / slope):
            return f"divides {came}, where it multiplies it"
    for name, array in (("its input", step.h), ("its output", step.a)):
        if case.fits(step.gives(slope * array)):
            return f"is multiplied by {name} as well"
    return None


def of_a_place(case, step):
    """Return at which other place the derivative was taken, or None.

    Where a module gives the value, autograd can be fed with the input; a user's own forward pass
    may make it in many steps, and only the slope that is known can.
    """
    q, user, inner, outer = case.quantity, step.user, step.h, step.a
    one = step.activation
    with np.errstate(all="ignore"):
        if one is not None and case.fits(step.gives(one.slope(outer, one.value(outer)))):
            return f"is taken at its output{named(user)}, not at its input `{q}`"
        if one is not None and case.fits(step.gives(one.slope(inner, inner))):
            return f"is written for the output{named(user)}, but fed with the input `{q}`"
        if one is not None and case.fits(step.gives(one.slope(-inner, one.value(-inner)))):
            is_kinked = one.name == "ReLU" or (user and isinstance(case.module(user), KINKED))
            return f"is taken at -`{q}`" + ", as if a comparison were reversed" * bool(is_kinked)
    return None if one is not None or user is None else by_passes(case, q, user, inner, outer)


def by_passes(case, q, user, inner, outer):
    """Return at which other place a derivative without a known slope was taken, or None."""
    if case.fits(case.recompute({q: outer})):
        return f"is taken at its output `{user}`, not at its input `{q}`"
    if case.fits(case.recompute(saved={user: inner})):
        return f"is written for the output `{user}`, but fed with the input `{q}`"
    if case.fits(case.recompute({q: -inner})):
        is_kinked = isinstance(case.module(user), KINKED)
        return f"is taken at -`{q}`" + ", as if a comparison were reversed" * is_kinked
    return None


def instead(case, step):
    """Return what stands in the place of the slope, or None."""
    own = step.activation.parts if step.activation else {}
    for text, slope in own.items():
        if fits_at_worst(case, step, slope):
            return f"is {in_words(text, case, step)}{meant(case, step)}"
    for text, formula in OF_EITHER.items():
        for place, slope in (("{a}", of_output(formula)), ("{h}", of_input(formula))):
            if fits_at_worst(case, step, slope):
                return f"is {in_words(text.replace('{}', place), case, step)}{meant(case, step)}"
    for other in ACTIVATIONS:
        if fits_at_worst(case, step, other.slope):
            text = in_words(other.written, case, step)
            return f"is that of the {other.name}, {text}{meant(case, step)}"
    return two_numbers(case, step, step.h > 0)


def of_output(formula):
    """Return the slope that a formula has of the output."""
    return lambda _, a: formula(a)


def of_input(formula):
    """Return the slope that a formula has of the input."""
    return lambda h, _: formula(h)


def fits_at_worst(case, step, slope):
    """Say whether another slope explains the gradient: first in the entry that is furthest off."""
    at = tuple(slice(i, i + 1) for i in case.worst)
    with np.errstate(all="ignore"):
        here = step.rest[at] + step.upstream[at] * slope(step.h[at], step.a[at])
        if not np.allclose(here, case.actual[at], rtol=1e-3, atol=2 * case.tolerance):
            return False
        return case.fits(step.gives(slope(step.h, step.a)))


def two_numbers(case, step, is_above):
    """Return which two numbers stand for the slope above and below 0, or None."""
    used = [number_of(case, step, side) for side in (is_above, ~is_above)]
    if None in used or not case.fits(step.gives(np.where(is_above, *used))):
        return None
    above, below = used
    if abs(above - below) <= case.tolerance:
        return f"is {above:.6g} everywhere{meant(case, step)}"
    where = f"where `{case.quantity}` > 0, and {below:.6g} elsewhere"
    return f"is {above:.6g} {where}{meant(case, step)}"


def number_of(case, step, side):
    """Return the number that multiplies what comes in on one side of 0, None where none does."""
    up, used = step.upstream[side], (case.actual - step.rest)[side]
    square = float((up**2).sum())
    if (np.abs(up) > case.tolerance).sum() < ENTRIES_ON_A_SIDE or not square:
        return None
    return float((up * used).sum()) / square


def meant(case, step, before=", where "):
    """Say which slope is meant, where it is known."""
    if step.activation is None:
        return ""
    text = in_words(step.activation.written, case, step)
    return f"{before}{text}" + " is meant" * (before == ", where ")


def in_words(text, case, step):
    """Put the names of the input and the output into a slope."""
    q = case.quantity
    a = f"`{step.user}`" if step.user else f"{step.activation.name.lower()}(`{q}`)"
    return text.format(h=f"`{q}`", a=a)


def named(user):
    """Name an output, where it has a name."""
    return f" `{user}`" if user else ""
