"""All that a page shows of a variant: run, compared and taken from the files as it is built."""

from typing import NamedTuple

from markupsafe import Markup

import manual.training
import torch_ref.training
from handgrad.load import gallery as variants
from handgrad.train.drift import train_variant
from handgrad.compare.judge import Finding
from handgrad.run.trace import like, reference_trace, watched
from handgrad.run.weights import is_transposed
from handgrad.errors import InputError
from handgrad.lessons.breaking import broken_lines
from handgrad.lessons.diagram import diagram
from handgrad.lessons.formulas import derivation, mathml
from handgrad.lessons.source import Code, code_of, derivation_code, torch_code, whole
from handgrad.lessons.traps import TRAPS, relu_at_zero, shown
from handgrad.pipeline import build_reference, compare

SHOWN = 3  # numbers of each array


class Row(NamedTuple):
    """One quantity on both sides: its formula, its code, its first numbers, the Finding.

    Of a gradient, `node` is autograd's step that gives it, and `place` where PyTorch keeps it.
    """

    name: str
    formula: Markup
    shape: str
    ours: list[Code]
    theirs: list[Code]
    node: str
    place: str
    numbers: tuple[str, str]
    finding: Finding


def story(name):
    """Run a variant and return what its page shows, a dict for the template."""
    network, torch_side = variants.manual_side(name), variants.torch_side(name)
    params, x, y = variants.draw(name)
    told = derivation(network)
    report = compare(name, params, x, y)
    reference = build_reference(name, params)
    sources: dict[str, set[str]] = {}
    trace = reference_trace(reference, x, y, sources=sources)
    sources = in_order(sources, trace)
    check_formulas(name, told, report)
    rows = rows_of(network, torch_side, told, report, reference, x, y, sources)
    values = {key: trace[key] for key in sources}
    shapes = {key: shape_of(array) for key, array in {**params, "x": x, "y": y, **values}.items()}
    return {
        "name": name,
        "told": told,
        "report": report,
        "picture": diagram(sources, shapes),
        "forward": [row for row in rows if not row.name.startswith("grad_")],
        "backward": [row for row in rows if row.name.startswith("grad_")],
        "loops": (
            [whole(f, manual.training) for f in (manual.training.step, manual.training.train)],
            [whole(torch_ref.training.train, torch_ref.training)],
        ),
        "sizes": ", ".join(f"{key} = {size}" for key, size in variants.sizes(name).items()),
        "training": training(name),
        "broken": broken_lines(name, params, x, y, network) if report.ok else [],
        "traps": [
            shown(trap, reference.model, reference.loss_fn, params, x, y)
            for trap in TRAPS
            if trap is not relu_at_zero or any("relu" in key for key in values)
        ],
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


def training(name):
    """Return the Drift of the notebook's training, or the sentence why it cannot be done."""
    try:
        return train_variant(name)
    except InputError as error:
        return str(error)


def in_order(sources, trace):
    """Return the sources of each value with x first, then in the order of computing, then y."""
    order = ["x", *trace]
    found = {key: sorted(names, key=order.index) for key, names in sources.items()}
    found["loss"] = [*found["loss"], "y"]
    return found


def rows_of(network, torch_side, told, report, reference, x, y, sources):
    """Return a Row for each quantity that has a formula, in the order of the derivation."""
    findings = {finding.name: finding for finding in report.findings}
    ours = derivation_code(network, list(told.formulas))
    nodes = backward_nodes(reference, x, y)
    rows = []
    for name, tex in told.formulas.items():
        quantity = name.removeprefix("grad_")
        users = [value for value, names in sources.items() if quantity in names]
        is_gradient = name != quantity
        left, right = report.arrays[name]
        steps = [f"{nodes[user]}, the way back through {user}" for user in users]
        rows.append(
            Row(
                name=name,
                formula=mathml(tex),
                shape=shape_of(left),
                ours=[ours[name]],
                theirs=[] if is_gradient else their_code(torch_side, name),
                node=" and ".join(steps) if is_gradient else "",
                place=place_of(reference, quantity) if is_gradient else "",
                numbers=(first_numbers(left), first_numbers(right)),
                finding=findings[name],
            )
        )
    return rows


def their_code(torch_side, name):
    """Return the Code of a value, or of the loss, in PyTorch."""
    if name != "loss":
        return [torch_code(torch_side, name)]
    made = code_of(torch_side, ["loss_fn"])["loss_fn"]
    return [made, code_of(torch_ref.training, ["loss"])["loss"]]


def backward_nodes(reference, x, y):
    """Return for each value and the loss the name of the step that autograd takes back from it."""
    model, found = reference.model, {}
    handles = [
        model.get_submodule(path).register_forward_hook(
            lambda _module, _inputs, output, name=name: found.update({name: output.grad_fn.name()})
        )
        for path, name in watched(reference).items()
    ]
    loss = reference.loss_fn(model(like(x, model)), like(y, model))
    for handle in handles:
        handle.remove()
    return {**found, "loss": loss.grad_fn.name()}


def place_of(reference, quantity):
    """Say where PyTorch keeps the gradient of a quantity."""
    path = reference.names.get(quantity)
    if path is None:
        return f"{quantity}.grad"
    return f"model.{path}.grad" + (".T" if is_transposed(reference.model, path) else "")


def shape_of(array):
    """Return an array's shape as text."""
    return " x ".join(map(str, array.shape)) or "a number"


def first_numbers(array):
    """Return the first few numbers of an array as text."""
    numbers = ", ".join(f"{number + 0.0:.6g}" for number in array.flat[:SHOWN])  # -0 is 0
    return numbers + (", …" if array.size > SHOWN else "")
