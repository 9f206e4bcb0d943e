"""Awkward weights and data for a network: what a right derivation must not be blamed for."""

from dataclasses import replace

import numpy as np

from handgrad.load import gallery
from handgrad.pipeline import check
from handgrad.run.hand_written import named_inputs
from handgrad.run.precision import PRECISIONS, mapped, rounded


def draw_awkward(name, dtype, seed):
    """Return a network of the gallery with weights and data of some awkward kind."""
    rng = np.random.default_rng(seed)
    sizes = {size: int(rng.integers(1, 12)) for size in gallery.sizes_of(name)}
    return make_awkward(gallery.load(name, dtype, seed, sizes), rng, PRECISIONS[dtype])


def make_awkward(network, rng, precision):
    """Return a network with some of its weights and data made awkward: numbers it can hold.

    Of any scale, rows of zeros, rows that are all the same, activations that saturate, targets
    that are all but reached. Whole numbers, such as labels, stay as they are.
    """
    params, x, y = mapped(np.ndarray.copy, (network.params, network.x, network.y))
    inputs = [array for array in named_inputs(x).values() if array.dtype.kind == "f"]
    has_float_targets = y.dtype.kind == "f"
    spread = rng.choice([0.0, 1.0, 3.0])  # of the scales' exponents
    for array in (*params.values(), *inputs, *[y] * has_float_targets):
        array *= array.dtype.type(10.0 ** (spread * rng.standard_normal()))
    if rng.random() < 0.3:
        for array in inputs:
            array[rng.integers(0, len(array), len(array) // 2)] = 0
    if rng.random() < 0.2:
        for array in (*named_inputs(x).values(), y):
            array[:] = array[0]
    if rng.random() < 0.2:
        params[rng.choice(list(params))] *= 300  # sigmoids saturate
    if rng.random() < 0.3 and has_float_targets:  # near convergence the gradients cancel
        with np.errstate(all="ignore"):
            y_pred = network.forward(params, x, y).get("y_pred", y)
        close = y_pred * (1 + y.dtype.type(rng.choice([0, 1e-6])) * y)
        y = np.where(np.isfinite(close), close, y)
    params, x, y = rounded((params, x, y), precision)
    return replace(network, params=params, x=x, y=y)


def wrong_quantities(name, dtype, seed):
    """Return the names of what fails of the right derivation on awkward data."""
    report = check(draw_awkward(name, dtype, seed))
    return [f.name for f in report.findings if f.verdict in ("wrong", "accumulated")]
