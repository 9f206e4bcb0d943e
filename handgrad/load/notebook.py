"""A notebook: its code cells, run in order, and what they leave."""

import json
import linecache

from torch import nn

from handgrad.errors import InputError
from handgrad.load import variables
from handgrad.load.execute import execute, read
from handgrad.load.names import X_NAMES, Y_NAMES

LARGEST = 200 * 2**20  # bytes: with all its pictures
KNOWN = (3, 4)  # versions of the format


def run_cells(path):
    """Run a notebook's code cells, and return the variables that they leave."""
    namespace = {"__name__": "__main__"}
    for number, source in enumerate(code_cells(path), 1):
        remember(f"{path} [{number}]", source)
        execute(source, f"{path} [{number}]", namespace, f"{path}, code cell {number}")
    return namespace


def remember(filename, source):
    """Let Python know the source of a cell, for the lines that it shows in a traceback."""
    linecache.cache[filename] = len(source), None, source.splitlines(True), filename


def code_cells(path):
    """Return the sources of a notebook's code cells, without the lines for IPython alone."""
    _, cells = opened(path)
    texts = [source if isinstance(source, str) else "".join(source) for _, _, source in cells]
    return ["\n".join(map(without_magic, text.splitlines())) for text in texts]


def opened(path):
    """Return a notebook, and its code cells: each with the key of its source, and the source.

    Raises InputError where it is none.
    """
    try:
        notebook = json.loads(read(path, LARGEST))
        if notebook["nbformat"] not in KNOWN:
            raise InputError(
                f"{path} is of nbformat {str(notebook['nbformat'])[:20]}, known are "
                f"{' and '.join(map(str, KNOWN))}: save it with a newer Jupyter."
            )
        sheets = [notebook] if notebook["nbformat"] == 4 else notebook["worksheets"]
        cells = [cell for sheet in sheets for cell in sheet["cells"]]
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        keys = ["source" if "source" in cell else "input" for cell in code]
        found = [(cell, key, cell[key]) for cell, key in zip(code, keys, strict=True)]
        for _, _, source in found:
            "".join(source)
        return notebook, found
    except InputError:
        raise
    except (ValueError, TypeError, LookupError, RecursionError):
        raise InputError(
            f"{path} is not a Jupyter notebook: its JSON cannot be read, or has no cells."
        ) from None


def without_magic(line):
    """Return a line of a cell, empty where it is no Python but a command to IPython."""
    return "" if line.lstrip().startswith(("%", "!")) else line


def load_namespace(namespace, path):
    """Return the Network of the variables that a notebook leaves.

    Looked for are `reference`, or the only `nn.Module` there is, and `x` and `y` (`train_X` and
    `train_y` as well).
    """
    modules = {
        name: value
        for name, value in namespace.items()
        if isinstance(value, nn.Module)
        and not type(value).__module__.startswith("torch.nn.modules.loss")
    }
    reference = namespace.get("reference")
    if reference is None and len(modules) == 1:
        (reference,) = modules.values()
    if reference is None:
        found = f"found {', '.join(modules)}" if modules else "found no nn.Module"
        raise InputError(
            f"{path} leaves no `reference` to compare with, {found}: define an nn.Module of that "
            "name in a cell."
        )
    x = next((namespace[name] for name in X_NAMES if name in namespace), None)
    y = next((namespace[name] for name in Y_NAMES if name in namespace), None)
    if x is None or y is None:
        raise InputError(
            f"{path} leaves no {'x' if x is None else 'y'}: looked for "
            f"{', '.join(X_NAMES if x is None else Y_NAMES)}."
        )
    loss = namespace.get("loss_fn")
    names = namespace.get("names")
    return variables.load(
        namespace, reference, x, y, loss=loss, names=names, name=path.name, source=str(path)
    )
