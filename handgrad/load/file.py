"""A derivation in a file or a notebook, as a Network: run it, then look at what it defines."""

import inspect
import sys
import types
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from handgrad.errors import InputError
from handgrad.load import variables
from handgrad.load.execute import (
    execute,
    functions_put_back,
    importing_from,
    settings_put_back,
    source_of,
)
from handgrad.load.names import gradient_names, pick, suggestion
from handgrad.load.notebook import load_namespace, run_cells
from handgrad.network import Network
from handgrad.run.hand_written import arrays_of, call, named_inputs, run_both

NEEDS = "it needs forward(params, x, y) and backward(params, x, y, values), see `handgrad new`"


@contextmanager
def opened(path):
    """Run a user's Python file or notebook, and yield the Network in it.

    A file is a module with `forward`, `backward` and `init` or `params`, `x`, `y`; with a
    `reference` each step is judged, and `loss` and `names` are those of `handgrad.check`.
    Without one, the backward pass is held against the forward pass alone. A notebook may also
    leave its quantities as variables. While the Network is in use, the file can import its
    neighbours.
    """
    path = Path(path)
    if path.suffix not in (".py", ".ipynb"):
        raise InputError(f"{path} is neither a Python file (.py) nor a notebook (.ipynb).")
    absolute = path.absolute()  # the file may change the folder
    with importing_from(path.parent), settings_put_back():
        if path.suffix == ".ipynb":
            with functions_put_back():
                found = run_cells(path)
            has_passes = all(callable(found.get(n)) for n in ("forward", "backward"))
            yield load_module(found, path, None) if has_passes else load_namespace(found, path)
        else:
            source, module = source_of(path), types.ModuleType(path.stem)
            module.__file__ = str(absolute)
            sys.modules.setdefault(module.__name__, module)  # dataclasses look their module up
            with functions_put_back():
                execute(source, str(path), module.__dict__, str(path))
            yield load_module(vars(module), path, absolute)


def load_module(found, path, lines):
    """Return the Network that a module's namespace defines.

    `path` is as the user gave it, `lines` the file whose lines a report shows, or None.
    """
    forward, backward = (function(found, name, path) for name in ("forward", "backward"))
    params, x, y = start(found, path)
    network = Network(
        name=path.name,
        params=params,
        x=variables.inputs(x),
        y=variables.data("y", y),
        forward=forward,
        backward=backward,
        source=str(path),
        path=path,
    )
    values, grads = run_both(network, path)
    quantities = {**params, **values, **grads}
    check_known(grads, quantities, path)
    reference = found.get("reference")
    if reference is None:
        names = [*params, "loss", *named_inputs(network.x)]
        given, own = pick({**values, **grads}, {name: [name] for name in names})
        return replace(network, quantities=given, names=own, path=lines)
    loss = found.get("loss")
    return variables.load(
        quantities,
        reference,
        network.x,
        network.y,
        loss=loss if callable(loss) else None,
        names=found.get("names"),
        params=params,
        name=path.name,
        forward=forward,
        backward=backward,
        source=str(path),
        path=lines,
    )


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
            raise InputError(
                f"{path}: init must return params, x, y, found {type(drawn).__name__}."
            )
        params, x, y = drawn
    else:
        missing = [name for name in ("params", "x", "y") if name not in found]
        if missing:
            raise InputError(
                f"{path} has no {' and no '.join(missing)}: define params, x and y, or "
                "init(rng) that returns them."
            )
        params, x, y = found["params"], found["x"], found["y"]
    if not hasattr(params, "keys"):
        raise InputError(f"{path}: params must be a dict of arrays, found {type(params).__name__}.")
    return arrays_of(params, "params", path), x, y


def check_known(grads, quantities, path):
    """Raise InputError where backward returns what is no gradient of any quantity."""
    known = {name for quantity in [*quantities, "x"] for name in gradient_names(quantity)}
    for name in grads:
        if name not in known:
            wanted = [f"grad_{other}" for other in quantities if other not in grads]
            raise InputError(
                f"{path}: `{name}` of backward is the gradient of no quantity"
                f"{suggestion(name, wanted)}: call it grad_ and the quantity's name."
            )
