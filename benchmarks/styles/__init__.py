"""Right derivations in NumPy alone, written in the styles in which people write them.

A file a style, each another network: `init`, `forward` and, but in one, `backward`. There is no
PyTorch beside them: the forward pass is its own reference. `AT_LEAST` has the sizes that a network
cannot go below.
"""

import importlib
import inspect
from pathlib import Path

import numpy as np

from handgrad.load import own
from handgrad.load.programme import of_functions
from handgrad.network import Network
from handgrad.run.precision import PRECISIONS, rounded
from parity_tests.meta_tests.awkward import make_awkward

STYLES = tuple(
    sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem != "__init__")
)


def side_of(name):
    """Import the file of a style."""
    return importlib.import_module(f"{__name__}.{name}")


def draw(name, dtype="float64", seed=0, awkward=False, largest=8):
    """Return a network in a style, drawn from a seed as those in `architectures` are."""
    side, rng = side_of(name), np.random.default_rng(seed)
    least = getattr(side, "AT_LEAST", {})
    sizes = list(inspect.signature(side.init).parameters)[1:]
    drawn = {size: int(rng.integers(least.get(size, 1), largest + 1)) for size in sizes}
    params, x, y = side.init(rng, **drawn)
    programme, arrays = programme_of(side, name, params, x, y)
    arrays, x, y = rounded((arrays, x, y), PRECISIONS[dtype])

    def forward(params, x, y):
        found = programme.forward(params, x, y)
        return found if isinstance(found, dict) else {}

    network = Network(name=name, params=arrays, x=x, y=y, forward=forward)
    if awkward:
        network = make_awkward(network, rng, PRECISIONS[dtype])
    about = {"name": name, "source": f"{name}, seed {seed}"}
    return own.load(programme, network.params, network.x, network.y, **about)


def own_forward(network, side):
    """Return a network that has a PyTorch reference with its own forward pass as one instead."""
    programme, _ = programme_of(side, network.name, network.params, network.x, network.y)
    about = {"name": network.name, "source": network.source}
    return own.load(programme, network.params, network.x, network.y, **about)


def programme_of(side, name, params, x, y):
    """Return the passes of a module as a Programme, and its parameters, flat and by name."""
    passes = [getattr(side, key) for key in ("forward", "backward") if hasattr(side, key)]
    spaces = {function.__code__.co_filename: function.__globals__ for function in passes}
    is_theirs, namespaces = spaces.__contains__, list(spaces.values())
    return of_functions(vars(side), params, x, y, is_theirs, namespaces, name)
