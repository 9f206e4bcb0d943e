"""Mistakes that show when the step is made again from something else than it should be."""

import numpy as np

from handgrad.compare.judge import Cause


def narrow_input(case):
    """Explain a quantity that was computed from an input in a narrower dtype."""
    if case.steps.precision.numpy != np.float64:
        return None
    slopes = [user for user, _ in activations(case)]
    for name in case.inputs():
        if slopes and name in (case.quantity, *slopes):  # a slope may change by jumps
            continue
        array = case.given(name)
        for narrow in (np.float32, np.int64):
            with np.errstate(invalid="ignore"):
                rounded = array.astype(narrow).astype(np.float64)
            if np.array_equal(rounded, array) or not np.isfinite(rounded).all():
                continue
            if narrow is np.int64 and len(np.unique(rounded)) < 4:  # may as well be a mask
                continue
            if case.fits(case.recompute({name: rounded})):
                return Cause(
                    "precision",
                    f"`{case.name}` is computed from `{name}` rounded to {narrow.__name__}.",
                )
    return None


def missing_derivative(case):
    """Explain a gradient that was passed through an activation as it came."""
    for user, upstream in activations(case):
        if case.fits(upstream):
            return Cause(
                "missing-derivative",
                f"`{case.name}` equals `grad_{user}`: the derivative of {described(case, user)} "
                f"is missing{advice(case, user)}.",
            )
    return None


def wrong_derivative(case):
    """Explain an activation's derivative that was taken at the wrong place, or by half."""
    q = case.quantity
    for user, upstream in activations(case):
        inner, outer = case.given(q).astype(np.float64), case.given(user).astype(np.float64)
        what = f"the derivative of {described(case, user)}"
        if case.fits(case.recompute({q: outer})):
            return wrong(case, f"{what} is taken at its output `{user}`, not at its input `{q}`")
        if case.fits(case.recompute(saved={user: inner})):
            return wrong(
                case,
                f"{what} is written for the output `{user}`, but fed with the input `{q}`",
            )
        if case.fits(case.recompute({q: -inner})):
            return wrong(case, f"{what} is taken at -`{q}`, as if a comparison were reversed")
        for part, text in ((outer, f"`{user}`"), (1 - outer, f"(1 - `{user}`)")):
            if described(case, user) in ("the Sigmoid", "the Tanh") and case.fits(upstream * part):
                return wrong(case, f"{what} is just {text}, and the other factor is missing")
    return None


def wrong(case, sentence):
    """Make the cause of a wrong derivative."""
    return Cause("wrong-derivative", f"In `{case.name}`, {sentence}.")


def activations(case):
    """Yield each value computed entry by entry from this gradient's quantity, and its gradient."""
    if not case.is_gradient:
        return
    for user in case.steps.users(case.quantity):
        upstream = case.given(f"grad_{user}") if user != "loss" else None
        alone = case.steps.sources[user] == {case.quantity}
        if alone and upstream is not None and upstream.shape == case.ours.shape:
            yield user, upstream


def described(case, user):
    """Name an activation by its module, such as "the ReLU"."""
    paths = case.steps.reference.values or {user: user}
    path = next((path for path, name in paths.items() if name == user), user)
    kind = type(case.steps.reference.model.get_submodule(path)).__name__
    return "the step" if kind == "Identity" else f"the {kind}"


def advice(case, user):
    """Say what to multiply by, where that is known."""
    forms = {"the ReLU": f"`{case.quantity} > 0`", "the Sigmoid": f"`{user} * (1 - {user})`"}
    form = forms.get(described(case, user))
    return f"; multiply by {form}" if form else ""


def same_as(case):
    """Explain a quantity that equals its own input, or what was computed from it."""
    for name in alike(case):
        if not case.fits(case.given(name)):
            continue
        from_right = {case.name: case.theirs}
        if case.name in case.steps.inputs(name) and case.fits(case.steps.attempt(name, from_right)):
            return Cause(
                "other-quantity",
                f"`{case.name}` equals `{name}`, which is computed from it: it was changed in "
                "place; take a copy first.",
            )
        if name in case.steps.inputs(case.name):
            step = "the step" if case.is_gradient else described(case, case.name)
            return Cause(
                "other-quantity", f"`{case.name}` equals `{name}`: {step} between them is missing."
            )
    return None


def other_input(case):
    """Explain a quantity that was computed from another one than is meant, or without one."""
    for name in case.inputs():
        right = case.given(name)
        for other in ["x", *case.steps.computed]:
            array = case.given(other)
            if other in (name, case.name) or array is None or array.shape != right.shape:
                continue
            if case.fits(case.recompute({name: array})):
                return Cause(
                    "other-quantity",
                    f"`{case.name}` is computed from `{other}`, where `{name}` is meant.",
                )
        if name in case.steps.reference.names and case.fits(
            case.recompute({name: np.zeros_like(right)})
        ):
            return Cause("other-quantity", f"`{case.name}` is computed without `{name}`.")
    return None


def other_name(case):
    """Explain a quantity that holds what another one does, or should."""
    for name in alike(case):
        if name != "x" and case.fits(case.steps.computed[name]):
            return Cause(
                "other-quantity", f"`{case.name}` holds what `{name}` should: are they mixed up?"
            )
        # what was computed from this one may well equal it, and is then none of its causes
        if case.name not in case.steps.inputs(name) and case.fits(case.given(name)):
            return Cause("other-quantity", f"`{case.name}` equals `{name}`.")
    return None


def alike(case):
    """Return the names of the other quantities of the same shape."""
    names = ["x", *case.steps.computed]
    arrays = {name: case.given(name) for name in names if name != case.name}
    return [n for n, a in arrays.items() if a is not None and a.shape == case.ours.shape]


def stale_weight(case):
    """Explain a step that was computed with a weight from after its update, or from before it."""
    if case.ours.size < 3:  # a single number can be had with some learning rate
        return None
    for name in case.inputs():
        if name not in case.steps.reference.names:
            continue
        gradient = case.given(f"grad_{name}")
        if gradient.shape != case.given(name).shape or not np.isfinite(gradient).all():
            continue
        moved = case.recompute({name: case.given(name) - gradient})
        direction = moved.astype(np.float64) - case.theirs
        length = float((direction**2).sum())
        if not length:
            continue
        rate = float(((case.ours - case.theirs) * direction).sum()) / length
        if case.fits(case.theirs + rate * direction):
            when = "after" if rate > 0 else "before"
            return Cause(
                "stale-weight",
                f"`{case.name}` is computed with `{name}` as it was {when} its update (learning "
                f"rate {abs(rate):.3g}): compute all gradients first, then update.",
            )
    return None


def not_accumulated(case):
    """Explain a gradient of something that is used twice, with one use left out or negated."""
    if not case.is_gradient:
        return None
    users = [user for user in case.steps.users(case.quantity) if user != "loss"]
    if len(users) < 2:
        return None
    for user in users:
        upstream = case.given(f"grad_{user}")
        if case.fits(case.recompute({f"grad_{user}": -upstream})):
            return Cause(
                "sign", f"In `{case.name}`, what comes back from `{user}` has the wrong sign."
            )
        if case.fits(case.recompute({f"grad_{user}": np.zeros_like(upstream)})):
            return Cause(
                "not-accumulated",
                f"`{case.quantity}` is used in {' and in '.join(f'`{u}`' for u in users)}, but "
                f"what comes back from `{user}` is not added to `{case.name}`.",
            )
    return None
