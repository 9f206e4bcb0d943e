"""A derivation in live variables, as a Network."""

import inspect
from dataclasses import replace

import numpy as np

from handgrad.errors import InputError
from handgrad.load.buffers import pair_buffers
from handgrad.load.layout import Draft, settled
from handgrad.load.module import module_of
from handgrad.load.names import FORMS, array_of, strangers, with_attributes
from handgrad.load.notes import notes_on
from handgrad.load.own_passes import in_their_layout
from handgrad.load.parameters import check_names, pair_parameters
from handgrad.load.updated import before_update
from handgrad.load.values import pair_values, with_parts
from handgrad.network import Network, Reference
from handgrad.run.hand_written import as_array, checked, named_inputs
from handgrad.run.reference import path_of

MANY = 12  # names in a sentence


def load(quantities, reference, x, y, *, loss=None, names=None, params=None, **about):
    """Return a Network of the quantities that the reference knows; see `handgrad.check`.

    `params` are the parameters in order, where they are known. `about` is for the Network: its
    passes are called in the user's own layout.
    """
    if not hasattr(quantities, "keys"):
        raise InputError(
            f"The quantities must be a mapping from names to arrays, such as globals(), found "
            f"{type(quantities).__name__}."
        )
    quantities = dict(quantities)
    model = module_of(reference)
    check_names(names, model, quantities)
    keys = keys_of(x, model)
    named = [[key] for key in keys] or names_of_inputs(quantities, x)
    quantities = with_attributes(without_data(quantities, x, y))
    in_order = params is not None
    table = pair_parameters(model, params if in_order else quantities, names, in_order)
    x, y = inputs(x), data("y", y)
    x = tuple(x[key] for key in keys) if keys else x
    draft = draft_of(quantities, model, table, (x, y), loss, names or {}, named)
    reading = settled(draft)
    check_some(reading)
    is_live = about.get("forward") is None
    before = before_update(reading.network, reading.fits) if is_live else None
    if before is not None:
        reading = reading._replace(network=replace(reading.network, params=before[0]))
    found = reading.network
    wants = any(f"grad_{name}" in found.quantities for name in named_inputs(found.x))
    network = replace(
        found,
        reference=replace(found.reference, with_inputs=wants),
        names=reading.own,
        notes=(
            *notes_on(reading, draft, before),
            *strangers(quantities, [*reading.own.values(), *reading.shapes]),
        ),
        **{"name": "derivation", **about},
    )
    return in_their_layout(network, reading, draft, keys)


def draft_of(quantities, model, table, xy, loss, names, known_as):
    """Return the Draft of what a user gives, each array as it lies there."""
    x, y = xy
    taken = {*named_inputs(x), "x", "y", "loss"}  # what else is called so in a trace
    called = {name: f"{name}_parameter" if name in taken else name for name in table}
    values = pair_values(model, quantities, names)
    aliases = {internal: [name] for name, internal in called.items() if name != internal}
    for path, name in values.items():
        if name in named_inputs(x):
            values[path] = f"{name}_value"
            aliases[values[path]] = [name]
    for name, own in zip(named_inputs(x), known_as, strict=True):
        aliases[name] = [n for n in dict.fromkeys([*own, name]) if n not in table]
    parameters = dict(model.named_parameters())
    params = {}
    for name, entry in table.items():
        is_number = parameters[path_of(entry, parameters)].numel() == 1
        params[called[name]] = checked(name, array_of(quantities[name], is_number))
    buffers, names_of_buffers = pair_buffers(model, quantities)
    reference = Reference(
        model,
        {called[name]: entry for name, entry in table.items()},
        loss,
        values,
        with_inputs=not params,
        buffers=buffers,
    )
    network = Network("derivation", params, x, y, reference)
    parts = with_parts(quantities, values.values())
    return Draft(network, parts, aliases, loss, names, list(names_of_buffers.values()))


def names_of_inputs(quantities, x):
    """Return for each input the names that the user has for it."""
    is_several = isinstance(x, tuple) and isinstance(inputs(x), tuple)
    return [[n for n, a in quantities.items() if a is one] for one in (x if is_several else [x])]


def without_data(quantities, x, y):
    """Return quantities without the data: a `y` that is the targets is no submodule's output."""
    several = x.values() if hasattr(x, "keys") else x if isinstance(x, tuple) else [x]
    known = {id(array) for array in [*several, y]}
    return {
        name: value
        for name, value in quantities.items()
        if name not in ("x", "X", "y", "Y") or id(value) not in known
    }


def inputs(x):
    """Return x as an array, or as a tuple or a dict of arrays where it is several inputs."""
    if hasattr(x, "keys") and x:
        return {str(name): data(str(name), x[name]) for name in x}
    arrays = [as_array(one) for one in x] if isinstance(x, tuple) else []
    if arrays and all(array is not None and array.ndim for array in arrays):
        return tuple(data(f"x{number}", array) for number, array in enumerate(arrays, 1))
    return data("x", x)


def keys_of(x, model):
    """Return the names of inputs in a dict in the order that the module takes them, or none."""
    if not hasattr(x, "keys"):
        return []
    taken = inspect.signature(model.forward).parameters
    if not x or set(x) - set(taken):
        raise InputError(
            f"x has {', '.join(map(str, x))}, but the reference's forward takes {', '.join(taken)}."
        )
    return [name for name in taken if name in x]


def data(name, array):
    """Return x or y as an array; raise InputError where it cannot be computed with."""
    found = as_array(array)
    if found is None or found.ndim == 0:
        raise InputError(
            f"{name} must be an array or a tensor, one row a sample, found {type(array).__name__}."
        )
    if found.size == 0 or found.dtype.kind not in "fiub":
        raise InputError(
            f"{name} must hold real numbers, found shape {found.shape} and dtype {found.dtype}."
        )
    if not np.isfinite(found).all():
        bad = int((~np.isfinite(found)).sum())
        raise InputError(
            f"{name} must be finite, found {bad} of {found.size} entries nan or inf: correct the "
            "data."
        )
    return found


def check_some(reading):
    """Raise InputError where there is no gradient to judge."""
    if any(name.startswith("grad_") for name in reading.network.quantities):
        return
    known = [name for name in reading.shapes if name != "loss"]
    looked = ", ".join(form.format(known[0]) for form in FORMS)
    others = ", ".join(known[1:MANY]) + (" and so on" if len(known) > MANY else "")
    raise InputError(
        "None of the names is the gradient of a quantity of the reference, so there is nothing to "
        f"judge: looked for {looked}{', and likewise for ' * bool(others)}{others}."
    )
