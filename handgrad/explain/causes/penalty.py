"""The gradient of a penalty on a weight, left out, too much, or with another factor."""

import numpy as np

from handgrad.explain.ratio import multiple_of
from handgrad.explain.thresholds import ENTRIES_FOR_A_FIT
from handgrad.findings import Cause

KIND = "penalty"
LOOKS_LIKE = "a penalty's gradient left out, too much, or with another factor"
EXAMPLES = [
    (
        "two_layer_relu",
        '"grad_w1": grad_w1',
        '"grad_w1": grad_w1 + 0.1 * params["w1"]',
        {"grad_w1": "penalty"},
    ),
    (
        "two_layer_relu",
        '"grad_w1": grad_w1',
        '"grad_w1": grad_w1 + 0.1 * np.sign(params["w1"])',
        {"grad_w1": "penalty"},
    ),
]


def find(case):
    """Explain the gradient of a weight that is right but for that of a penalty on it."""
    if not case.is_gradient or not case.is_parameter(case.quantity):
        return None
    if case.actual.size < ENTRIES_FOR_A_FIT:
        return None
    sentence = reading(case, np.asarray(case.given(case.quantity), np.float64))
    return Cause(KIND, f"`{case.name}` {sentence}.") if sentence else None


def reading(case, weight):
    """Return what is wrong with the penalty's gradient, or None."""
    is_in_loss = "loss" in case.steps.users(case.quantity) and case.uses_but_the_loss()
    own = case.contributions.get("loss") if is_in_loss else None
    own = np.zeros_like(case.expected) if own is None else own
    forms = {f"`{case.quantity}`": weight, f"sign(`{case.quantity}`)": np.sign(weight)}
    was, is_meant = (
        fitted(case, array, forms) for array in (case.actual - case.expected + own, own)
    )
    if was == is_meant or None in (was, is_meant):
        return None
    if is_meant == "0":
        return f"is what is meant plus {was}, as of a penalty that the loss has not"
    if was == "0":
        return f"lacks {is_meant}, the gradient of the penalty in the loss"
    return f"has {was}, where {is_meant} is meant, the gradient of the penalty in the loss"


def fitted(case, array, forms):
    """Return which multiple of which form an array is, in words, None where it is none."""
    if case.fits(case.actual - array):
        return "0"
    for text, form in forms.items():
        count = multiple_of(form, array)
        if count and case.fits(case.actual - array + count * form):
            return f"{count:.6g} * {text}"
    return None
