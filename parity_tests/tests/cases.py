"""The weights and data on which the parity tests run, by name."""

import numpy as np

from parity_tests import variants

CASES = ("notebook", "square", "three outputs", "batch of 1", "row of zeros", "larger")


def draw_case(variant, case, dtype):
    """Draw `params, x, y` of a variant for one of CASES."""
    sizes = variants.sizes(variant)
    if case == "square":  # a forgotten transpose must not hide
        sizes = dict.fromkeys(sizes, 8) | {"n": 16}
    elif case == "three outputs":
        sizes["d_out"] = 3
    elif case == "batch of 1":
        sizes["n"] = 1
    elif case == "larger":
        sizes = {name: 2 * size + 1 for name, size in sizes.items()}
    params, x, y = variants.draw(variant, seed=1, dtype=np.dtype(dtype), **sizes)
    if case == "row of zeros":  # without biases, ReLU's input is exactly 0 there
        x[3] = 0
    if case == "larger":  # keeps the 500 steps from running away
        for w in params.values():
            w /= np.sqrt(len(w), dtype=w.dtype)
    return params, x, y
