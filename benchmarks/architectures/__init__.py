"""Networks that were not written for the gallery: does what Handgrad says of them hold?

A file a network, both versions in it, with the contract of the gallery's two files: `init`,
`forward` and `backward` in NumPy, `Net`, `PARAMETERS` and `loss_fn` in PyTorch (or `loss_of`,
which makes a loss that closes over the module). All of them are right, and written the way
people write them: one line a quantity, PyTorch's own modules. `AT_LEAST` has the sizes that a
network cannot go below.
"""

import importlib
import inspect
from dataclasses import replace
from pathlib import Path

import numpy as np

from handgrad.network import Network, Reference
from handgrad.run.precision import PRECISIONS, rounded
from parity_tests.meta_tests.awkward import make_awkward

ARCHITECTURES = tuple(
    sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem != "__init__")
)


def side_of(name):
    """Import the file of a network."""
    return importlib.import_module(f"{__name__}.{name}")


def draw(name, dtype="float64", seed=0, awkward=False, largest=8, **sizes):
    """Return a network with sizes, weights and data drawn from a seed.

    The sizes are at most `largest` where `sizes` does not say them. With `awkward`, weights and
    data are of any scale, have rows of zeros, and what else `make_awkward` knows.
    """
    side, rng = side_of(name), np.random.default_rng(seed)
    least = getattr(side, "AT_LEAST", {})
    for size in list(inspect.signature(side.init).parameters)[1:]:
        drawn = int(rng.integers(least.get(size, 1), largest + 1))
        sizes[size] = sizes.get(size, drawn)
    precision = PRECISIONS[dtype]
    params, x, y = rounded(side.init(rng, **sizes), precision)
    wanted = inspect.signature(side.Net).parameters
    model = side.Net(**{key: size for key, size in sizes.items() if key in wanted})
    loss_fn = side.loss_of(model) if hasattr(side, "loss_of") else side.loss_fn
    network = Network(
        name=name,
        params=params,
        x=x,
        y=y,
        reference=Reference(model, side.PARAMETERS, loss_fn),
        forward=side.forward,
        backward=side.backward,
        is_complete=True,
        source=name,
        path=Path(side.__file__),
        sizes=sizes,
    )
    if awkward:
        network = make_awkward(network, rng, precision)
    return replace(network, source=f"{name}, seed {seed}")
