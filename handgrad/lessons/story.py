"""All that a page shows of a network: run, compared and taken from the files as it is built."""

import inspect
from typing import NamedTuple

from markupsafe import Markup

from handgrad.errors import InputError
from handgrad.findings import Finding
from handgrad.lessons.autograd import ways_back
from handgrad.lessons.breaking import broken_lines
from handgrad.lessons.diagram import diagram
from handgrad.lessons.formulas import derivation, mathml
from handgrad.lessons.source import Code, code_of, derivation_code, torch_code, whole
from handgrad.lessons.traps import traps_of, weight_of
from handgrad.load import gallery
from handgrad.pipeline import check
from handgrad.run.hand_written import named_inputs
from handgrad.run.reference import path_of
from handgrad.train.drift import train_both_sides

SHOWN = 3  # numbers of each array


class Row(NamedTuple):
    """One quantity on both sides: its formula, its code, its first numbers, the Finding.

    `actual` is the hand-written code, `expected` that of PyTorch. Of a gradient, `steps` says
    which of autograd's steps give it, and `place` where PyTorch keeps it.
    """

    name: str
    formula: Markup
    shape: str
    actual: list[Code]
    expected: list[Code]
    steps: str
    place: str
    numbers: tuple[str, str]
    finding: Finding


def story(name):
    """Run a network of the gallery and return what its page shows, a dict for the template."""
    network = gallery.load(name)
    told = derivation(gallery.manual_side(name))
    report = check(network)
    check_formulas(name, told, report)
    ways = ways_back(network)
    rows = rows_of(network, told, report, ways)
    sources, inputs = in_order(ways, network), list(named_inputs(network.x))
    return {
        "name": name,
        "told": told,
        "report": report,
        "inputs": inputs,
        "picture": diagram(inputs, sources, shapes_of(network, report)),
        "forward": [row for row in rows if not row.place],
        "backward": [row for row in rows if row.place],
        "sizes": ", ".join(f"{key} = {size}" for key, size in network.sizes.items()),
        "ambiguous": next((key for key in network.sizes if key in sources), None),
        "loops": loops(),
        "training": training(network),
        "broken": broken_lines(network) if report.ok else [],
        "weight": weight_of(network.reference),
        "traps": traps_of(network),
    }


def check_formulas(name, told, report):
    """Raise InputError unless the docstring has a formula for each quantity, and no other."""
    computed = {finding.name for finding in report.findings if finding.kind != "parameter"}
    for key in told.formulas:
        if key not in computed:
            raise InputError(
                f"The docstring of manual/{name}.py has `{key}`, which is not computed."
            )
    for key in computed:
        if key not in told.formulas:
            raise InputError(
                f"The docstring of manual/{name}.py has no formula for `{key}`: write a line "
                "`name  $TeX$  (shape)`."
            )


def rows_of(network, told, report, ways):
    """Return a Row for each quantity that has a formula, in the order of the derivation."""
    side, torch_side = gallery.manual_side(network.name), gallery.torch_side(network.name)
    findings = {finding.name: finding for finding in report.findings}
    lines = derivation_code(side, list(told.formulas))
    paths = dict(network.reference.model.named_modules())
    rows = []
    for name, tex in told.formulas.items():
        quantity, finding = name.removeprefix("grad_"), findings[name]
        is_gradient = name != quantity
        rows.append(
            Row(
                name=name,
                formula=mathml(tex),
                shape=shape_of(finding.actual),
                actual=[lines[name]],
                expected=[] if is_gradient else code_in_torch(torch_side, name, paths),
                steps=steps_to(quantity, ways) if is_gradient else "",
                place=place_of(network.reference, quantity) if is_gradient else "",
                numbers=(first_numbers(finding.actual), first_numbers(finding.expected)),
                finding=finding,
            )
        )
    return rows


def code_in_torch(torch_side, name, paths):
    """Return the Code of a value, or of the loss, in PyTorch; `paths` are its submodules'."""
    if name != "loss":
        path = name if name in paths else name.rpartition("_")[0]  # h_2: h, called again
        return [torch_code(torch_side, path) or whole(torch_side.Net, torch_side)]
    if inspect.isfunction(torch_side.loss_fn):
        made = whole(torch_side.loss_fn, torch_side)
    else:
        made = code_of(torch_side, ["loss_fn"])["loss_fn"]
    return [made, code_of(gallery.imported("torch_ref.training"), ["loss"])["loss"]]


def steps_to(quantity, ways):
    """Say which of autograd's steps give the gradient of a quantity."""
    found = [
        f"{' then '.join(names[quantity])}, the way back through {user}"
        for user, names in ways.items()
        if quantity in names
    ]
    return ", and by ".join(found) or "no step: the loss does not depend on it"


def place_of(reference, quantity):
    """Say where PyTorch keeps the gradient of a quantity."""
    entry = reference.parameters.get(quantity)
    if entry is None:
        return f"{quantity}.grad"
    path = path_of(entry, dict(reference.model.named_parameters()))
    return f"model.{path}.grad{entry.removeprefix(path)}"


def in_order(ways, network):
    """Return for each value what it was computed from: inputs, parameters, values, the targets."""
    order = [*named_inputs(network.x), *network.params, *ways]
    found = {user: sorted(names, key=order.index) for user, names in ways.items()}
    found["loss"] = [*found["loss"], "y"]
    return found


def shapes_of(network, report):
    """Return the shape of each quantity, the inputs and the targets as text."""
    data = {**named_inputs(network.x), "y": network.y}
    found = {finding.name: finding.expected for finding in report.findings}
    return {name: shape_of(array) for name, array in {**found, **data}.items()}


def loops():
    """Return the Code of the training loops of both sides."""
    by_hand, in_torch = (gallery.imported(f"{side}.training") for side in ("manual", "torch_ref"))
    return (
        [whole(function, by_hand) for function in (by_hand.step, by_hand.train)],
        [whole(in_torch.train, in_torch)],
    )


def training(network):
    """Return the Drift of a network's training, why it cannot be done, or None without one."""
    if not gallery.is_trained(network.name):
        return None
    try:
        return train_both_sides(network, gallery.learning_rates(network.name))
    except InputError as error:
        return str(error)


def shape_of(array):
    """Return an array's shape as text."""
    return " x ".join(map(str, array.shape)) or "a number"


def first_numbers(array):
    """Return the first few numbers of an array as text."""
    numbers = ", ".join(f"{number + 0.0:.6g}" for number in array.flat[:SHOWN])  # -0 is 0
    return numbers + (", …" if array.size > SHOWN else "")
