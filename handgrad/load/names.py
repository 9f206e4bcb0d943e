"""A reference's quantities among a user's names, and which parameter is which."""

import difflib
import re
from dataclasses import replace

from torch import nn

from handgrad.errors import InputError
from handgrad.run.hand_written import as_array, checked
from handgrad.run.reference import path_of


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
    """Return the table of parameters: a dict from the user's names to entries, `h1.weight.T`.

    `names` are the entries that the user gives, and stand as they are written. The others go by
    their names; and `in_order` says that, where names do not tell, `quantities` are the
    parameters in the model's order. Raises InputError where a parameter finds no array.
    """
    parameters = dict(model.named_parameters())
    given = {name: e for name, e in (names or {}).items() if path_of(e, parameters) in parameters}
    candidates = parameter_names(model)
    table, missing = {}, []
    for path in parameters:
        chosen = [name for name, entry in given.items() if path_of(entry, parameters) == path]
        name = find(quantities, chosen or candidates[path])
        if name is None:
            missing.append(path)
        else:
            table[name] = given.get(name) or entry_for(model, path, as_array(quantities[name]))
    if in_order and not given and (missing or set(table) != set(quantities)):
        if len(quantities) == len(parameters):
            pairs = zip(quantities, parameters, strict=True)
            return {name: entry_for(model, path, quantities[name]) for name, path in pairs}
        raise InputError(
            f"The reference has {len(parameters)} parameters ({', '.join(parameters)}), the "
            f"derivation {len(quantities)} ({', '.join(quantities)}): say which is which with "
            "`names`."
        )
    if missing:
        looked = ", ".join(dict.fromkeys(candidates[missing[0]]))
        raise InputError(
            f"The reference's parameter {missing[0]} has no hand-written counterpart: looked "
            f"for {looked}; give it one of these names, or say which it is with "
            f"names={{'your_name': '{missing[0]}'}}."
        )
    return table


def entry_for(model, path, array):
    """Return the entry of the table for a parameter: its path, with `.T` where it is transposed.

    The shapes say so, but for a square one: there nn.Linear's weight is taken to be transposed,
    as it is against `x @ w`. The report says what was paired.
    """
    parameter = model.get_parameter(path)
    shape, turned = tuple(parameter.shape), tuple(parameter.shape)[::-1]
    if parameter.ndim != 2 or (array.shape == shape and shape != turned):
        return path
    owner, _, attribute = path.rpartition(".")
    is_linear = attribute == "weight" and isinstance(model.get_submodule(owner), nn.Linear)
    return f"{path}.T" if is_linear or (array.shape == turned and shape != turned) else path


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
    parameters = dict(model.named_parameters())
    paths = [*parameters, *(path for path, _ in model.named_modules() if path)]
    for name, entry in (names or {}).items():
        path = path_of(entry, parameters)
        if path not in paths or (path != entry and path not in parameters):
            raise InputError(
                f"`names` gives {name} as {entry}, but the reference has no such parameter or "
                f"submodule{suggestion(path, paths)}: it has {', '.join(paths)}."
            )
        if name not in quantities:
            raise InputError(
                f"`names` gives {name} as {entry}, but there is no quantity {name}"
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


def in_own_words(findings, own):
    """Return Findings with the user's names in place of `grad_h1` and the like."""
    return [own_words(finding, own) for finding in findings]


def own_words(finding, own):
    """Return one Finding with the user's names."""
    cause = finding.cause
    if cause is not None:
        message = re.sub(r"`(\w+)`", lambda m: f"`{own.get(m[1], m[1])}`", cause.message)
        cause = cause._replace(message=message)
    return replace(finding, name=own.get(finding.name, finding.name), cause=cause)
