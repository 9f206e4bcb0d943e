"""Awkward weights and data for a network: what a right derivation must not be blamed for."""

from dataclasses import replace

import numpy as np

from handgrad.load import gallery
from handgrad.pipeline import check


def draw_awkward(name, dtype, seed):
    """Return a network of the gallery with weights and data of some awkward kind."""
    rng = np.random.default_rng(seed)
    sizes = {size: int(rng.integers(1, 12)) for size in gallery.sizes_of(name)}
    network = gallery.load(name, dtype, seed, sizes)
    params, x, y = dict(network.params), network.x, network.y
    spread = rng.choice([0.0, 1.0, 3.0])  # of the scales' exponents
    for array in (*params.values(), x, y):
        if array.dtype.kind == "f":
            array *= array.dtype.type(10.0 ** (spread * rng.standard_normal()))
    if rng.random() < 0.3:
        x[rng.integers(0, len(x), len(x) // 2)] = 0
    if rng.random() < 0.2:
        x[:], y[:] = x[0], y[0]
    if rng.random() < 0.2:
        params[rng.choice(list(params))] *= 300  # sigmoids saturate
    if rng.random() < 0.3 and y.dtype.kind == "f":  # near convergence the gradients cancel
        with np.errstate(all="ignore"):
            y_pred = network.forward(params, x, y)["y_pred"]
        close = y_pred * (1 + x.dtype.type(rng.choice([0, 1e-6])) * y)
        y = np.where(np.isfinite(close), close, y).astype(dtype)
    return replace(network, params=params, x=x, y=y)


def wrong_quantities(name, dtype, seed):
    """Return the names of what fails of the right derivation on awkward data."""
    report = check(draw_awkward(name, dtype, seed))
    return [f.name for f in report.findings if f.verdict in ("wrong", "accumulated")]
