"""A derivation in a file or a notebook, as a Network: run it, then look at what it defines."""

import inspect
import sys
import types
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from handgrad.errors import InputError
from handgrad.load import script, variables
from handgrad.load.defined import arguments_of, modules_in
from handgrad.load.execute import (
    execute,
    functions_put_back,
    importing_from,
    settings_put_back,
    source_of,
)
from handgrad.load.names import gradient_names, suggestion
from handgrad.load.notebook import code_cells, load_namespace, remember, run_cells
from handgrad.load.passes import network_of
from handgrad.load.statements import (
    Statement,
    has_module,
    is_script,
    looks_like_one,
    segments_of,
    statements_of,
    title_of,
)
from handgrad.network import Network, unequal
from handgrad.run.code import Code
from handgrad.run.hand_written import arrays_of, call, run_both

NEEDS = "it needs forward(params, x, y) and backward(params, x, y, values), see `handgrad new`"


@contextmanager
def opened(path):
    """Run a user's Python file or notebook, and yield functions that load the Networks in it.

    A file is a module with `forward`, `backward` and `init` or `params`, `x`, `y`; with a
    `reference` each step is judged by it, and `loss` and `names` are those of `handgrad.check`;
    without one, by its own forward pass. What has no such functions is a script, with a Network for
    each of its passes. A notebook may also leave its quantities as variables, and a `reference`.
    While a Network is in use, the file can import its neighbours.
    """
    path = Path(path)
    if path.suffix not in (".py", ".ipynb"):
        raise InputError(f"{path} is neither a Python file (.py) nor a notebook (.ipynb).")
    with importing_from(path.parent), settings_put_back():
        if path.suffix == ".ipynb":
            yield from in_notebook(path)
        else:
            yield from in_module(path)


def in_module(path):
    """Yield what loads the Networks of a Python file: see `opened`."""
    source, module = source_of(path), types.ModuleType(path.stem)
    module.__file__ = str(path.absolute())  # the file may change the folder
    sys.modules.setdefault(module.__name__, module)  # dataclasses look their module up
    if is_script(source):
        yield scripts([(str(path), source)], vars(module), path)
    else:
        with functions_put_back():
            execute(source, str(path), module.__dict__, str(path))
        yield [lambda: load_module(vars(module), path, Path(module.__file__))]


def in_notebook(path):
    """Yield what loads the Networks of a notebook: see `opened`."""
    cells = [(f"{path} [{n}]", source) for n, source in enumerate(code_cells(path), 1)]
    whole = "\n".join(source for _, source in cells)
    if is_script(whole) and not has_module(whole):
        yield scripts(cells, {"__name__": "__main__"}, path)
    else:
        with functions_put_back():
            found = run_cells(path)
        has_passes = all(callable(found.get(name)) for name in ("forward", "backward"))
        yield [
            lambda: load_module(found, path, None) if has_passes else load_namespace(found, path)
        ]


def scripts(sources, namespace, path):
    """Yield what loads the passes of a script; what comes before each has then been run."""
    for filename, source in sources:
        remember(filename, source)
    statements = statements_of(sources)
    if not looks_like_one(statements):
        raise InputError(
            f"{path}: nothing in it looks like a derivation: {NEEDS}, or gradients that are called "
            "after their weights, grad_w1 or dw1."
        )
    segments = list(segments_of(statements))
    while len(segments) > 1 and not looks_like_one(segments[-1].statements):
        segments.pop()  # it comes after the last pass
    rest: list[Statement] = []
    has_pass = False
    for segment in segments:
        with functions_put_back():
            script.run_all(rest, namespace, str(path))
            body, rest = script.started(segment, namespace, str(path))
        if body and (segment is segments[-1] or looks_like_one(segment.statements)):
            has_pass = True
            yield partial(load_pass, body, namespace, path)
    if not has_pass:
        raise InputError(
            f"{path}: no pass was found: a function that draws its weights itself cannot be looked "
            "into; draw them before it, and give them to it."
        )


def load_pass(body, namespace, path):
    """Return the Network of one pass of a script."""
    files, namespaces = theirs(path, namespace)
    name, where = f"{path.name}, {title_of(body)}", str(path)
    return script.load(body, namespace, files, namespaces, where, name=name, source=where)


def load_module(found, path, lines):
    """Return the Network that a module's namespace defines.

    `path` is as the user gave it, `lines` the file whose lines a report shows, or None.
    """
    reference = found.get("reference")
    if reference is None:
        return load_own(found, path, lines)
    forward, backward = (function(found, name, path) for name in ("forward", "backward"))
    params, x, y = start(found, path)
    params = checked_params(params, path)
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
    loss = found.get("loss")
    loaded = variables.load(
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
    return replace(loaded, code=Code(theirs(path, found)[1], partial(is_of, path)))


def is_of(path, filename):
    """Say whether code is that of a file, of a cell of a notebook, or of a neighbour's."""
    files, _ = theirs(path, {})
    return filename in files or filename.startswith(f"{path} [")


def load_own(found, path, lines):
    """Return the Network of a module's passes, with its own forward pass as the reference."""
    for name in ("forward", "backward"):
        function(found, name, path)
    files, namespaces = theirs(path, found)
    about = {"name": path.name, "source": str(path), "path": lines}

    def on(data):
        return network_of(found, data, files, namespaces, str(path), **about)

    sizes = sizes_of(found)
    return replace(
        on(start(found, path)), redraw=lambda seed: on(start(found, path, seed, unequal(sizes)))
    )


def sizes_of(found):
    """Return the sizes that a module's `init` takes besides a generator, by name."""
    if not callable(init := found.get("init")):
        return {}
    arguments = list(inspect.signature(init).parameters.values())[1:]
    return {one.name: one.default for one in arguments if type(one.default) is int}


def theirs(path, namespace):
    """Return the names of the files that are the user's, and the namespaces of their modules."""
    neighbours = modules_in(path.parent)
    return {str(path), *(m.__file__ for m in neighbours)}, [namespace, *map(vars, neighbours)]


def function(found, name, path):
    """Return a function of the user's; raise InputError where it is missing."""
    if not callable(found.get(name)):
        raise InputError(f"{path} has no function {name}: {NEEDS}.")
    return found[name]


def start(found, path, seed=0, sizes=None):
    """Return params, x, y of a module, from its `init` or as they stand there."""
    if callable(found.get("init")):
        _, needed = arguments_of(found["init"])
        init = partial(found["init"], **(sizes or {}))
        drawn = call(init, "init", path, *[np.random.default_rng(seed)] * len(needed[:1]))
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
    return params, x, y


def checked_params(params, path):
    """Return parameters as a dict of arrays; raise InputError where they are none."""
    if not hasattr(params, "keys"):
        raise InputError(f"{path}: params must be a dict of arrays, found {type(params).__name__}.")
    return arrays_of(params, "params", path)


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
