"""Which of a user's arrays is which parameter of the reference, and how it lies there."""

from torch import nn

from handgrad.errors import InputError
from handgrad.load.names import array_of, find, suggestion
from handgrad.run.reference import path_of

# Norms call their weight gamma and their bias beta in every paper.
NORMS = (
    *(nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm, nn.LayerNorm),
    *(nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d, nn.GroupNorm, nn.RMSNorm),
)
GREEK = {"weight": "gamma", "bias": "beta"}


def parameter_names(model):
    """Return for each parameter's path the names it may have: `h1.weight` may be `w1`.

    The first module with a weight has w1 and b1, or w and b if it is the only one, and so on.
    A parameter of the model itself has its own name, a norm's weight is also a gamma.
    """
    owners = list(dict.fromkeys(path.rpartition(".")[0] for path, _ in model.named_parameters()))
    norms = [owner for owner in owners if isinstance(model.get_submodule(owner), NORMS)]
    owners = [owner for owner in owners if owner]
    result = {}
    for path, _ in model.named_parameters():
        owner, _, attribute = path.rpartition(".")
        short = owner.rpartition(".")[2]
        own = [path, path.replace(".", "_"), f"{attribute[0]}_{short}", f"{attribute[0]}{short}"]
        if not owner and attribute in ("weight", "bias"):  # the model is a single layer
            letter = attribute[0]
            own += [letter, letter.upper(), f"{letter}1", f"{letter.upper()}1"]
        if owner in norms and attribute in GREEK:
            greek = GREEK[attribute]
            own += [f"{greek}_{short}", f"{greek}{norms.index(owner) + 1}"]
            own += [greek] * (len(norms) == 1)
        if owner:
            number = owners.index(owner) + 1
            letters = {"weight": ["w", "W"], "bias": ["b", "B"]}.get(attribute, [attribute])
            own += [f"{letter}{number}" for letter in letters]
            own += letters if len(owners) == 1 else []
        result[path] = [*own, *recurrent_names(attribute)]
    return result


def recurrent_names(attribute):
    """Return the short names of a recurrent layer's parameters: `w_ih` of `weight_ih_l0`."""
    kind, _, rest = attribute.partition("_")
    if kind not in ("weight", "bias") or not rest:
        return []
    short = rest.removesuffix("_l0")
    return [f"{kind}_{short}", f"{kind[0]}_{short}", f"{kind[0].upper()}_{short}"]


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
    for path, parameter in parameters.items():
        chosen = [name for name, entry in given.items() if path_of(entry, parameters) == path]
        is_number = parameter.numel() == 1
        possible = [name for name in chosen or candidates[path] if name not in table]
        name = find(quantities, possible, is_number)
        if name is None:
            missing.append(path)
        else:
            array = array_of(quantities[name], is_number)
            table[name] = given.get(name) or entry_for(model, path, array)
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
    as it is against `x @ w`, unless the values say otherwise (see `load.layout`).
    """
    parameter = model.get_parameter(path)
    shape, turned = tuple(parameter.shape), tuple(parameter.shape)[::-1]
    if parameter.ndim != 2 or (array.shape == shape and shape != turned):
        return path
    return f"{path}.T" if is_linear(model, path) or array.shape == turned != shape else path


def is_linear(model, path):
    """Say whether a path is that of the weight of an nn.Linear."""
    owner, _, attribute = path.rpartition(".")
    return attribute == "weight" and isinstance(model.get_submodule(owner), nn.Linear)


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
        whole = path.partition("[")[0]  # `lstm[0]` is the first of what `lstm` returns
        if whole not in paths or (path != entry and path not in parameters):
            raise InputError(
                f"`names` gives {name} as {entry}, but the reference has no such parameter or "
                f"submodule{suggestion(path, paths)}: it has {', '.join(paths)}."
            )
        if name not in quantities:
            raise InputError(
                f"`names` gives {name} as {entry}, but there is no quantity {name}"
                f"{suggestion(name, quantities)}."
            )
