"""A reference's quantities among a user's names, and the user's names in what is said of them."""

import difflib
import re
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from handgrad.errors import InputError
from handgrad.run.hand_written import as_array, checked

# How people name the gradient of a quantity, the commonest first. What autograd left in `.grad`
# of a tensor is not by hand; `w.g` is, and so is a dict's key "w.grad".
FORMS = (
    *("grad_{}", "d{}", "{}_grad", "d_{}", "dL_d{}", "dLd{}", "dloss_d{}", "dLoss_d{}", "dl_d{}"),
    *("dJ_d{}", "dE_d{}", "dC_d{}", "dL/d{}", "grad{}", "g{}", "g_{}", "{}_g", "gradient_{}"),
    *("{}_gradient", "delta_{}", "nabla_{}", "{}.grad", "{}.g", "{}_derivative"),
)


# What people call the data.
X_NAMES = ("x", "X", "train_X", "train_x", "X_train", "x_train")
Y_NAMES = ("y", "Y", "train_y", "train_Y", "Y_train", "y_train")


def array_of(value: Any, is_number: bool = False) -> np.ndarray | None:
    """Return what may be a quantity as an array, or None.

    Python's own numbers, and whole ones in a list, are sizes and settings (`hidden = 4`), unless
    the quantity is a single number, as the loss is.
    """
    if type(value) in (int, float) or isinstance(value, np.integer):
        return np.asarray(float(value)) if is_number else None
    array = as_array(value)
    if isinstance(value, list | tuple) and array is not None and array.dtype.kind != "f":
        return None
    return array


def find(quantities, candidates, is_number=False):
    """Return the first of `candidates` that is a user's name of a quantity, or None.

    A single letter with or without digits is found in either case, where just one is there.
    Raises InputError where a name comes first whose line is still a blank, `name = ...`.
    """
    for name in candidates:
        if quantities.get(name) is ...:
            raise InputError(f"{name} is still a blank: put your own line in place of `...`.")
        if array_of(quantities.get(name), is_number) is not None:
            return name
        other = name.swapcase()
        if is_letter(name) and array_of(quantities.get(other), is_number) is not None:
            return other
    return None


def is_letter(name):
    """Say whether a name is a single letter with or without digits, such as `W1`."""
    return re.fullmatch(r"[A-Za-z]\d*", name) is not None


def gradient_names(name):
    """Return how people name the gradient of a quantity, and of its other case."""
    if name.isdecimal():  # `d1` is a size, and no gradient of the submodule `1`
        return [f"grad_{name}"]
    both = [name, name.swapcase()] if is_letter(name) else [name]
    found = [form.format(n) for form in FORMS for n in both]
    return [*found, f"grad{name[:1].upper()}{name[1:]}"]


def with_attributes(quantities):
    """Return a user's names as a dict, with `w.g` for the attribute of a tensor, where it is one.

    `w.grad` is one where autograd cannot have made it: of a tensor that requires none.
    """
    found = dict(quantities)
    for name, value in quantities.items():
        if isinstance(value, torch.Tensor):
            by_hand = getattr(value, "g", None)
            if isinstance(by_hand, torch.Tensor):
                found.setdefault(f"{name}.g", by_hand)
            if not value.requires_grad and value.grad is not None:
                found.setdefault(f"{name}.grad", value.grad)
    return found


def pick(quantities, wanted, numbers=("loss",)):
    """Find quantities, and their gradients, among the user's names.

    `wanted` has for each name the names that it may have there; `numbers` are those of which a
    plain number will do. Returns the arrays under the names in `wanted` and `grad_` and these,
    and a dict from those names to the user's. Raises InputError where one is empty, or does not
    hold real numbers.
    """
    found, own = {}, {}
    taken = {candidate for candidates in wanted.values() for candidate in candidates}
    for name, candidates in wanted.items():
        grads = [g for c in candidates for g in gradient_names(c) if g not in taken]
        for known, possible in ((name, candidates), (f"grad_{name}", grads)):
            theirs = find(quantities, possible, name in numbers)
            if theirs is not None:
                array = array_of(quantities[theirs], name in numbers)
                found[known] = checked(theirs, array)
                own[known] = theirs
    return found, own


def strangers(quantities, known):
    """Say which quantities have a gradient beside them, but are none of the reference's."""
    found = [
        name
        for name, value in quantities.items()
        if name not in known and array_of(value) is not None
        if not any(re.fullmatch(rf"(?i){re.escape(name)}", other) for other in known)
        if find(quantities, set(gradient_names(name)) - set(known)) is not None
    ]
    if not found:
        return []
    return [
        f"Not checked, since the reference has no submodule of that name: {', '.join(found)}. "
        "Name its submodules so, or say which is which with `names`."
    ]


def suggestion(name, known):
    """Say what may have been meant, in brackets, or nothing."""
    close = difflib.get_close_matches(name, list(known), 1)
    return f" (did you mean {close[0]}?)" if close else ""


def in_own_words(findings, own):
    """Return Findings with the user's names in place of `grad_h1` and the like."""
    return [own_words(finding, own) for finding in findings]


def own_words(finding, own):
    """Return one Finding with the user's names."""
    cause = finding.cause
    if cause is not None:
        message = re.sub(r"`([\w.\[\]]+)`", lambda m: f"`{own.get(m[1], m[1])}`", cause.message)
        cause = cause._replace(message=message)
    return replace(finding, name=own.get(finding.name, finding.name), cause=cause)
