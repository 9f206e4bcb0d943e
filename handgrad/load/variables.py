"""A derivation in live variables, as a Network."""

import numpy as np

from handgrad.errors import InputError
from handgrad.load.module import check_runs, loss_of, module_of
from handgrad.load.names import (
    check_names,
    pair_parameters,
    pair_values,
    pick,
    strangers,
    with_repeats,
)
from handgrad.network import Network, Reference
from handgrad.run.hand_written import as_array, named_inputs


def load(quantities, reference, x, y, *, loss=None, names=None, params=None, **about):
    """Return a Network of the quantities that the reference knows; see `handgrad.check`.

    `params` are the parameters in order, where they are known. `about` is for the Network.
    """
    if not hasattr(quantities, "keys"):
        raise InputError(
            f"The quantities must be a mapping from names to arrays, such as globals(), found "
            f"{type(quantities).__name__}."
        )
    quantities = dict(quantities)
    model, loss_fn = module_of(reference), loss_of(loss)
    check_names(names, model, quantities)
    x, y = inputs(x), data("y", y)
    in_order = params is not None
    table = pair_parameters(model, params if in_order else quantities, names, in_order)
    values = pair_values(model, quantities, names)
    wanted = [*table, *with_repeats(values.values(), quantities), "loss", *named_inputs(x)]
    found, own = pick(quantities, wanted)
    given = {name: array for name, array in found.items() if name not in {*table, *named_inputs(x)}}
    network = Network(
        name=about.pop("name", "derivation"),
        params={name: found[name] for name in table},
        x=x,
        y=y,
        reference=Reference(model, table, loss_fn, values),
        quantities=given,
        names=own,
        notes=(*paired(table, names), *strangers(quantities, wanted)),
        **about,
    )
    check_runs(network)
    check_some(network)
    return network


def inputs(x):
    """Return x as an array, or as a tuple of arrays where it is several inputs."""
    arrays = [as_array(one) for one in x] if isinstance(x, tuple) else []
    if arrays and all(array is not None and array.ndim for array in arrays):
        return tuple(data(f"x{number}", array) for number, array in enumerate(arrays, 1))
    return data("x", x)


def data(name, array):
    """Return x or y as an array; raise InputError where it cannot be computed with."""
    found = as_array(array)
    if found is None or found.ndim == 0:
        raise InputError(
            f"{name} must be an array or a tensor, one row a sample, found {type(array).__name__}."
        )
    if found.size == 0 or found.dtype.kind not in "fiu":
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


def check_some(network):
    """Raise InputError where there is nothing to check: no value, no loss and no gradient."""
    if not network.quantities:
        values = network.reference.values.values()
        known = ", ".join(dict.fromkeys([*network.params, *values]))
        raise InputError(
            "None of the names is a quantity of the reference but its parameters: it knows "
            f"{known}, loss, and each one's gradient as grad_NAME, dNAME or NAME_grad."
        )


def paired(table, names):
    """Say which parameter was taken for which, unless that is what the user's `names` say."""
    if names is not None and table.items() <= names.items():
        return []
    return [f"Paired: {', '.join(f'{name} = {entry}' for name, entry in table.items())}"]
