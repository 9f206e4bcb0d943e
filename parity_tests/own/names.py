"""A reference's quantities among a user's names, and which parameter is which."""

import difflib
import re

import numpy as np
import torch
from torch import nn

from parity_tests.errors import InputError


def as_array(value):
    """Return a number, array or tensor as a NumPy array, or None for anything else."""
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().to_dense()
        return (value.float() if value.dtype is torch.bfloat16 else value).numpy()
    if isinstance(value, (list, tuple)):
        try:
            value = np.asarray(value)
        except ValueError:  # rows of different lengths
            return None
        return value if value.dtype.kind in "fiu" else None
    if isinstance(value, (np.ndarray, np.generic, float, int)) and not isinstance(value, bool):
        return np.asarray(value)
    return None


def find(quantities, candidates):
    """Return the first of `candidates` that is a user's name of a number or an array, or None.

    A single letter with or without digits is found in either case, where just one is there.
    Raises InputError where a name comes first whose line is still a blank, `name = ...`.
    """
    for name in candidates:
        if quantities.get(name) is ...:
            raise InputError(f"{name} is still a blank: put your own line in place of `...`.")
        if as_array(quantities.get(name)) is not None:
            return name
        other = name.swapcase()
        if re.fullmatch(r"[A-Za-z]\d*", name) and as_array(quantities.get(other)) is not None:
            return other
    return None


def gradient_names(name):
    """Return how people name the gradient of a quantity, and of its other case."""
    both = [name, name.swapcase()] if re.fullmatch(r"[A-Za-z]\d*", name) else [name]
    return [form.format(n) for form in ("grad_{}", "d{}", "{}_grad", "d_{}") for n in both]


def parameter_names(model):
    """Return for each parameter's path the names it may have: `h1.weight` may be `w1`.

    The first module with a weight has w1 and b1, or w and b if it is the only one, and so on.
    A parameter of the model itself has its own name, a layer norm's weight is also a gamma.
    """
    owners = list(dict.fromkeys(path.rpartition(".")[0] for path, _ in model.named_parameters()))
    owners = [owner for owner in owners if owner]
    result = {}
    for path, _ in model.named_parameters():
        owner, _, attribute = path.rpartition(".")
        short = owner.rpartition(".")[2]
        own = [path, path.replace(".", "_"), f"{attribute[0]}_{short}", f"{attribute[0]}{short}"]
        if not owner and attribute in ("weight", "bias"):  # the model is a single layer
            own += [
                attribute[0],
                attribute[0].upper(),
                f"{attribute[0]}1",
                f"{attribute[0].upper()}1",
            ]
        if owner:
            number = owners.index(owner) + 1
            letters = {"weight": ["w", "W"], "bias": ["b", "B"]}.get(attribute, [attribute])
            if isinstance(model.get_submodule(owner), nn.LayerNorm):
                greek = {"weight": "gamma", "bias": "beta"}[attribute]
                norms = [o for o in owners if isinstance(model.get_submodule(o), nn.LayerNorm)]
                own += [f"{greek}{norms.index(owner) + 1}"] + [greek] * (len(norms) == 1)
            own += [f"{letter}{number}" for letter in letters]
            own += letters if len(owners) == 1 else []
        result[path] = own
    return result


def pair_parameters(model, quantities, names=None, in_order=False):
    """Return which of the user's names is which parameter: a dict from name to path.

    `names` are those that the user gives. The others go by their names; and `in_order` says
    that, where names do not tell, `quantities` are the parameters in the model's order.
    Raises InputError where a parameter finds no array.
    """
    paths = [path for path, _ in model.named_parameters()]
    given = {name: path for name, path in (names or {}).items() if path in paths}
    candidates = parameter_names(model)
    pairs = {}
    missing = []
    for path in paths:
        chosen = [name for name, own in given.items() if own == path]
        name = find(quantities, chosen or candidates[path])
        pairs[name] = path
        if name is None:
            missing.append(path)
    if in_order and not given and (missing or set(pairs) != set(quantities)):
        if len(quantities) == len(paths):
            return dict(zip(quantities, paths, strict=True))
        raise InputError(
            f"The reference has {len(paths)} parameters ({', '.join(paths)}), the derivation "
            f"{len(quantities)} ({', '.join(quantities)}): say which is which with `names`."
        )
    if missing:
        looked = ", ".join(dict.fromkeys(candidates[missing[0]]))
        raise InputError(
            f"The reference's parameter {missing[0]} has no hand-written counterpart: looked "
            f"for {looked}; give it one of these names, or say which it is with "
            f"names={{'your_name': '{missing[0]}'}}."
        )
    return pairs


def pair_values(model, quantities, names=None):
    """Return which submodule gives which quantity: a dict from path to name.

    Submodules that hold others count only where the user has their name; what the whole model
    returns is `y_pred` where no submodule is called so.
    """
    given = {path: name for name, path in (names or {}).items()}
    result: dict[str, str] = {}
    for path, module in model.named_modules():
        short = path.rpartition(".")[2]
        candidates = [path, path.replace(".", "_"), short] if path else ["y_pred"]
        name = given.get(path) or find(quantities, [c for c in candidates if c])
        if name is None or name in result.values():
            if not path or any(True for _ in module.children()):
                continue
            name = path.replace(".", "_")
        result[path] = name
    if "" in result and "y_pred" in [result[path] for path in result if path]:
        del result[""]
    return result


def check_names(names, model, quantities):
    """Raise InputError where the user's `names` have a name or a path that there is not."""
    if names is not None and not (
        isinstance(names, dict) and all(isinstance(path, str) for path in names.values())
    ):
        raise InputError(
            "`names` must be a dict from your names to the reference's paths, such as "
            "{'w': 'h1.weight'}."
        )
    paths = [path for path, _ in model.named_parameters()]
    paths += [path for path, _ in model.named_modules() if path]
    for name, path in (names or {}).items():
        if path not in paths:
            raise InputError(
                f"`names` gives {name} as {path}, but the reference has no such parameter or "
                f"submodule{suggestion(path, paths)}: it has {', '.join(paths)}."
            )
        if name not in quantities:
            raise InputError(
                f"`names` gives {name} as {path}, but there is no quantity {name}"
                f"{suggestion(name, quantities)}."
            )


def suggestion(name, known):
    """Say what may have been meant, in brackets, or nothing."""
    close = difflib.get_close_matches(name, list(known), 1)
    return f" (did you mean {close[0]}?)" if close else ""


def with_repeats(names, quantities):
    """Return names, each followed by those of later calls of its submodule: h, h_2, h_3."""
    result = []
    for name in names:
        result.append(name)
        count = 2
        while f"{name}_{count}" in quantities or f"grad_{name}_{count}" in quantities:
            result.append(f"{name}_{count}")
            count += 1
    return result


def strangers(quantities, known):
    """Say which quantities have a gradient beside them, but are none of the reference's."""
    found = [
        name
        for name, value in quantities.items()
        if name not in known and as_array(value) is not None
        if not any(re.fullmatch(rf"(?i){re.escape(name)}", other) for other in known)
        if find(quantities, gradient_names(name)) is not None
    ]
    if not found:
        return []
    return [
        f"Not checked, since the reference has no submodule of that name: {', '.join(found)}. "
        "Name its submodules so, or say which is which with `names`."
    ]


def pick(quantities, wanted):
    """Find the quantities in `wanted`, and their gradients, among the user's names.

    Returns the arrays under the names in `wanted` and `grad_` and these, and a dict from those
    names to the user's. Raises InputError where one is empty, or does not hold real numbers.
    """
    found, own = {}, {}
    for name in wanted:
        for known, candidates in ((name, [name]), (f"grad_{name}", gradient_names(name))):
            if (theirs := find(quantities, candidates)) is not None:
                found[known] = checked(theirs, as_array(quantities[theirs]))
                own[known] = theirs
    return found, own


def checked(name, array):
    """Return an array as it is; raise InputError where it cannot be compared."""
    if array.size == 0:
        raise InputError(f"{name} is empty, its shape is {array.shape}: there is nothing to check.")
    if array.dtype.kind not in "fiu" or array.dtype.itemsize > 8:
        raise InputError(
            f"{name} must hold real numbers, found dtype {array.dtype}: make it float64."
        )
    return array
