"""The weights and data on which the parity tests run, by name."""

from dataclasses import replace

import numpy as np

from handgrad.load import gallery

CASES = ("own sizes", "square", "three outputs", "batch of 1", "row of zeros", "larger")


def draw_case(name, case, dtype):
    """Return a network of the gallery, drawn for one of CASES."""
    sizes = gallery.sizes_of(name)
    last = list(sizes)[-1]
    if case == "square":  # a forgotten transpose must not hide
        sizes = dict.fromkeys(sizes, 8) | {"n": 16}
    elif case == "three outputs":
        sizes[last] = 3
    elif case == "batch of 1":
        sizes["n"] = 1
    elif case == "larger":
        sizes = {size: 2 * number + 1 for size, number in sizes.items()}
    network = gallery.load(name, dtype, seed=1, sizes=sizes)
    if case == "row of zeros" and network.x.dtype.kind == "f":  # a ReLU's input is exactly 0 there
        x = network.x.copy()
        x[3] = 0
        network = replace(network, x=x)
    if case == "larger":  # keeps the training from running away
        params = {
            key: w / np.sqrt(len(w), dtype=w.dtype) if w.ndim > 1 else w
            for key, w in network.params.items()
        }
        network = replace(network, params=params)
    return network
