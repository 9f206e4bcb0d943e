"""A derivation in a file: run the file, then run and compare what it defines."""

import inspect
import sys
import types
from dataclasses import replace
from pathlib import Path

import numpy as np

from parity_tests.compare.judge import Finding
from parity_tests.errors import InputError
from parity_tests.explain.witness import sentence, witness
from parity_tests.own.check import check_mapping, data
from parity_tests.own.lines import assigned
from parity_tests.own.names import pick, suggestion
from parity_tests.own.running import (
    call,
    execute,
    importing_from,
    kind,
    numbers,
    read,
    run_both,
)
from parity_tests.report import Report

NEEDS = "it needs forward(params, x, y) and backward(params, x, y, values), see `handgrad new`"


# The verdict on a gradient, by whether it agrees with the slope of the loss; None: who knows.
WITNESSED = {True: "match", False: "wrong", None: "not given"}


def check_file(path):
    """Run a user's file and check the derivation in it; return the Report.

    The file is a module with `forward`, `backward` and `init` or `params`, `x`, `y`; with a
    `reference` each step is judged, and `loss` and `names` are those of `check`. Without one,
    the backward pass is held against the forward pass alone.
    """
    path = Path(path)
    module = types.ModuleType(path.stem)
    module.__file__ = str(path)
    with importing_from(path.parent):
        sys.modules.setdefault(module.__name__, module)  # dataclasses look their module up
        execute(read(path), str(path), module.__dict__, str(path))
        return check_module(vars(module), path)


def check_module(found, path):
    """Check the derivation in a module's namespace; return the Report."""
    forward, backward = (function(found, name, path) for name in ("forward", "backward"))
    params, x, y = start(found, path)
    x, y = data("x", x), data("y", y)
    values, grads = run_both(forward, backward, path, params, x, y)
    quantities = {**params, **values, **grads}
    check_known(grads, quantities, path)
    given, _ = pick(quantities, [*params, "x"])
    slopes = witness(quiet(forward), params, x, y, given)
    reference = found.get("reference")
    if reference is None:
        return alone(path, params, quantities["loss"], slopes)
    loss = found.get("loss")
    report = check_mapping(
        quantities,
        reference,
        x,
        y,
        loss=loss if callable(loss) else None,
        names=found.get("names"),
        params=params,
        where=path.name,
    )
    report.notes.append(sentence(slopes, report.findings))
    return replace(report, lines=lines_of(path, report))


def function(found, name, path):
    """Return a function of the user's; raise InputError where it is missing."""
    if not callable(found.get(name)):
        raise InputError(f"{path} has no function {name}: {NEEDS}.")
    return found[name]


def start(found, path):
    """Return params, x, y of a module, from its `init` or as they stand there."""
    if callable(found.get("init")):
        needed = [
            p
            for p in inspect.signature(found["init"]).parameters.values()
            if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]
        drawn = call(found["init"], "init", path, *[np.random.default_rng(0)] * len(needed[:1]))
        if not isinstance(drawn, tuple) or len(drawn) != 3:
            raise InputError(f"{path}: init must return params, x, y, found {kind(drawn)}.")
        params, x, y = drawn
    else:
        missing = [name for name in ("params", "x", "y") if name not in found]
        if missing:
            raise InputError(
                f"{path} has no {' and no '.join(missing)}: define params, x and y, or "
                "init(rng) that returns them."
            )
        params, x, y = found["params"], found["x"], found["y"]
    if not hasattr(params, "keys") or not params:
        raise InputError(f"{path}: params must be a dict of arrays, found {kind(params)}.")
    return numbers(params, "params", path), x, y


def quiet(forward):
    """Make a user's forward pass keep its warnings to itself: it is run many times."""

    def run(params, x, y):
        with np.errstate(all="ignore"):
            return forward(params, x, y)

    return run


def check_known(grads, quantities, path):
    """Raise InputError where backward returns what is no gradient of any quantity."""
    for name in grads:
        forms = (name.removeprefix("grad_"), name.removesuffix("_grad"), name.removeprefix("d_"))
        known = {*quantities, "x"}
        if not known.intersection({*forms, name[1:] if name[:1] == "d" else name} - {name}):
            wanted = [f"grad_{other}" for other in quantities if other not in grads]
            raise InputError(
                f"{path}: `{name}` of backward is the gradient of no quantity"
                f"{suggestion(name, wanted)}: call it grad_ and the quantity's name."
            )


def alone(path, params, loss, slopes):
    """Return the Report on a derivation that has no reference: its slopes."""
    findings = [
        Finding(
            name=f"grad_{slope.name}",
            kind="gradient",
            shape=slope.shape,
            difference=slope.difference,
            tolerance=slope.tolerance,
            verdict=WITNESSED[slope.agrees],
        )
        for slope in slopes
    ]
    dtype = str(np.result_type(*params.values()))
    loss = float(loss) if loss.size == 1 else None
    return Report(path.name, "cpu", dtype, loss, findings, [sentence(slopes, [])])


def lines_of(path, report):
    """Return where a Python file computes the quantities of a report."""
    if path.suffix != ".py":
        return {}
    return assigned(path, {finding.name for finding in report.findings})
