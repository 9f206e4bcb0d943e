"""Two functions `forward` and `backward` that are handed over, as a Network: see `check`."""

import numpy as np

from handgrad.errors import InputError
from handgrad.load import own, variables
from handgrad.load.defined import called, theirs, with_cells
from handgrad.load.programme import of_functions
from handgrad.run.hand_written import as_array


def load(forward, backward, params, x, y):
    """Return the Network of a user's passes, whose reference is their own forward pass.

    Raises InputError where one of them is no function, or cannot be called with what is given.
    """
    for name, function in (("forward", forward), ("backward", backward)):
        if not callable(function):
            raise InputError(f"{name} must be a function, found {type(function).__name__}.")
    passes, where = {"forward": forward, "backward": backward}, called(forward)
    files, namespaces = theirs(forward, backward)
    data, about = (params, x, y), {"name": where, "source": where}
    return with_cells(network_of(passes, data, files, namespaces, where, **about))


def network_of(passes, data, files, namespaces, where, **about):
    """Return the Network of `forward` and `backward` in a dict, on `data`: params, x and y.

    `files` are the names of the user's files, `namespaces` those of their modules; `about` is for
    the Network.
    """
    params, x, y = data
    x, targets = variables.inputs(x), None if y is None else as_array(y)
    programme, arrays = of_functions(
        passes, params, x, targets, files.__contains__, namespaces, where
    )
    y = np.zeros(1) if targets is None else variables.data("y", targets)
    return own.load(programme, arrays, x, y, **about)
