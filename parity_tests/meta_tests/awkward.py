"""Awkward weights and data for a variant: what a right derivation must not be blamed for."""

import numpy as np

from handgrad.load import gallery
from handgrad.run.trace import manual_trace
from handgrad.explain.verdicts import verdicts
from handgrad.pipeline import build_reference


def draw_awkward(variant, dtype, seed):
    """Draw `params, x, y` of some awkward kind."""
    rng = np.random.default_rng(seed)
    sizes = {name: int(rng.integers(1, 12)) for name in variants.sizes(variant)}
    params, x, y = variants.draw(variant, seed, np.dtype(dtype), **sizes)
    spread = rng.choice([0.0, 1.0, 3.0])  # of the scales' exponents
    for array in (*params.values(), x, y):
        array *= array.dtype.type(10.0 ** (spread * rng.standard_normal()))
    if rng.random() < 0.3:
        x[rng.integers(0, len(x), len(x) // 2)] = 0
    if rng.random() < 0.2:
        x[:], y[:] = x[0], y[0]
    if rng.random() < 0.2:
        params[rng.choice(list(params))] *= 300  # sigmoids saturate
    if rng.random() < 0.3:  # near convergence the gradients cancel
        with np.errstate(all="ignore"):
            y_pred = variants.manual_side(variant).forward(params, x, y)["y_pred"]
        close = y_pred * (1 + x.dtype.type(rng.choice([0, 1e-6])) * y)
        y = np.where(np.isfinite(close), close, y).astype(dtype)
    return params, x, y


def wrong_quantities(variant, dtype, seed):
    """Return the names of what is called wrong of the right derivation on awkward data."""
    params, x, y = draw_awkward(variant, dtype, seed)
    with np.errstate(all="ignore"):
        given = manual_trace(variants.manual_side(variant), params, x, y)
        findings, _ = verdicts(given, build_reference(variant, params), x, y)
    return [finding.name for finding in findings if finding.verdict == "wrong"]
