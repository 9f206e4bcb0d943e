"""How a user's arrays lie against the reference's: in the layout in which the numbers fit.

A derivation may keep its samples in columns, its weights as (out, in), a bias as (1, h). Shapes
mostly tell; where they do not (a square weight, as many samples as features) the values of the
forward pass do: they are the reference's in one layout and not in the other. Where they are
neither, the layout is the usual one, samples in rows against `x @ w`.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from handgrad.errors import InputError
from handgrad.load.loss import loss_of
from handgrad.load.module import first_run
from handgrad.load.names import pick
from handgrad.load.parameters import is_linear
from handgrad.load.values import candidates_of
from handgrad.load.weights import fitted
from handgrad.network import Network
from handgrad.run.hand_written import named_inputs, packed
from handgrad.run.precision import precision_of
from handgrad.run.reference import Substitute, oriented, path_of, run_reference


class Draft(NamedTuple):
    """What a user gives, in their own layout.

    `network` has the arrays as they are, and no quantities yet; `aliases` has the user's names of
    what is called otherwise in a Network, as a parameter `x` is, and `buffers` those of what
    stands for buffers of the reference.
    """

    network: Network
    quantities: dict
    aliases: dict[str, list[str]]
    loss: object
    names: dict[str, str]
    buffers: list[str]


class Reading(NamedTuple):
    """A Draft read in one layout: a Network in that of the reference.

    `shapes` are those of the reference, `own` the user's names, `reshaped` has the shapes of the
    arrays with an axis of length 1 too many or too few, and `fits` says of the values and the loss
    whether they are those of the reference.
    """

    network: Network
    is_turned: bool
    shapes: dict[str, tuple[int, ...]]
    own: dict[str, str]
    reshaped: dict[str, tuple[int, ...]]
    fits: dict[str, bool]

    def fitted(self, name, array):
        """Return a user's array in the layout of the reference."""
        quantity = name.removeprefix("grad_")
        if name == "loss" and array.size == 1:
            return array.reshape(())
        is_turned = self.is_turned and quantity not in self.network.params
        return fitted(array, self.shapes[quantity], is_turned)


def settled(draft):
    """Return the Reading of a Draft in the layout in which most values are the reference's."""
    found: list[Reading] = []
    failed: InputError | None = None
    for is_turned in (False, True):
        if is_turned and any(np.ndim(x) != 2 for x in named_inputs(draft.network.x).values()):
            continue
        try:
            reading = read(draft, usual_table(draft, is_turned), is_turned)
            if not all(reading.fits.values()):
                reading = with_turned_weights(draft, reading)
            found.append(reading)
        except InputError as error:
            failed = failed or error
        if found and all(found[-1].fits.values()):
            break
    if failed is not None and not found:
        raise failed
    return max(found, key=lambda reading: sum(reading.fits.values()))


def read(draft, table, is_turned):
    """Return a Draft as it is in one layout; raise InputError where that cannot be run."""
    network, shapes = arranged(draft, table, is_turned)
    try:
        network, run = first_run(network)
    except InputError:
        data = named_inputs(network.x)
        if all(x.dtype.kind == "f" for x in data.values()):
            raise
        # whole numbers and masks that are no indices: a Linear takes none
        real = {name: x.astype(np.float64) for name, x in data.items()}
        network, run = first_run(replace(network, x=packed(real, network.x)))
    shapes |= {name: array.shape for name, array in run.quantities.items()}
    candidates = {**candidates_of(run.quantities, network.reference.values), **draft.aliases}
    wanted = {name: candidates.get(name, [name]) for name in shapes}
    if ["loss"] in draft.aliases.values():  # a parameter of that name
        del wanted["loss"]
    single = [name for name in network.params if np.prod(shapes[name]) == 1]
    found, own = pick(draft.quantities, wanted, ["loss", *single])
    reading = Reading(network, is_turned, shapes, own, {}, {})
    given = {}
    for name, array in found.items():
        if name not in named_inputs(network.x):
            given[name] = reading.fitted(name, array)
            if array.ndim != given[name].ndim and array.ndim and name != "loss":
                reading.reshaped[name] = array.shape
    given = {name: array for name, array in given.items() if name not in network.params}
    right = run.quantities
    fits = {name: fit(a, right[name], network) for name, a in given.items() if name in right}
    return reading._replace(network=replace(network, quantities=given), fits=fits)


def arranged(draft, table, is_turned):
    """Return a Draft's Network with its data in the reference's layout, and the shapes of these."""
    network, model = draft.network, draft.network.reference.model
    parameters = dict(model.named_parameters())
    shapes = {
        name: tuple(oriented(parameters[path_of(entry, parameters)], entry, parameters).shape)
        for name, entry in table.items()
    }
    params = {name: fitted(array, shapes[name]) for name, array in network.params.items()}
    x, y = network.x, network.y
    if is_turned:
        x = tuple(one.T for one in x) if isinstance(x, tuple) else x.T
        y = y.T if y.ndim == 2 else y
    own = {draft.aliases.get(name, [name])[0]: entry for name, entry in table.items()}
    reference = replace(
        network.reference, parameters=table, loss_fn=loss_of(draft.loss, model, own)
    )
    shapes |= {name: array.shape for name, array in named_inputs(x).items()}
    return replace(network, params=params, x=x, y=y, reference=reference), shapes


def usual_table(draft, is_turned):
    """Return the table of parameters that is usual: with samples in columns, a weight (out, in)."""
    table, model = draft.network.reference.parameters, draft.network.reference.model
    if not is_turned:
        return table
    parameters, result = dict(model.named_parameters()), dict(table)
    for name, entry in table.items():
        path = path_of(entry, parameters)
        if name not in draft.names and is_square(parameters[path]) and is_linear(model, path):
            result[name] = path
    return result


def is_square(parameter):
    """Say whether the shape of a parameter does not tell how it lies."""
    return parameter.ndim == 2 and parameter.shape[0] == parameter.shape[1] > 1


def fit(actual, expected, network):
    """Say whether two arrays are the same but for rounding: half of the digits agree."""
    if actual.shape != expected.shape:
        return False
    close = precision_of(network.params or named_inputs(network.x)).eps ** 0.5
    scale = np.abs(expected[np.isfinite(expected)]).max(initial=0.0)
    return bool(np.isclose(actual, expected, 0.0, close * scale, equal_nan=True).all())


def with_turned_weights(draft, reading):
    """Return a Reading with those square weights turned of which the values say so.

    Each value is computed from the user's own inputs to it, once with all square weights as they
    are and once with all of them turned. A weight is turned where a value that is computed from
    it is right with it turned, and none is right as it is.
    """
    reference = reading.network.reference
    parameters = dict(reference.model.named_parameters())
    table = dict(reference.parameters)
    turned = {}
    for name, entry in table.items():
        path = path_of(entry, parameters)
        if is_square(parameters[path]) and name not in draft.names:
            turned[name] = path if entry != path else f"{path}.T"
    if not turned:
        return reading
    other = replace(reading.network, reference=replace(reference, parameters={**table, **turned}))
    as_it_is, as_turned = step_by_step(reading.network), step_by_step(other)
    if as_it_is is None or as_turned is None:
        return reading
    for_it: set[str] = set()
    against: set[str] = set()
    for name, sources in as_it_is.sources.items():
        actual = reading.network.quantities.get(name)
        if actual is not None:
            kept = fit(actual, as_it_is.quantities[name], reading.network)
            would = fit(actual, as_turned.quantities[name], reading.network)
            (for_it if would and not kept else against if kept and not would else set()).update(
                turned.keys() & sources
            )
    change = for_it - against
    if not change:
        return reading
    return read(draft, {**table, **{name: turned[name] for name in change}}, reading.is_turned)


def step_by_step(network):
    """Run the reference, each step on the user's own quantities; None where it refuses them."""
    precision = precision_of(network.params or named_inputs(network.x))
    try:
        return run_reference(network, precision, substitute=Substitute(network.quantities))
    except KeyboardInterrupt:
        raise
    except BaseException:  # the user's numbers may be anything
        return None
