"""The weights and data on which the parity tests run, by name, and what rounding allows there."""

from dataclasses import replace

import numpy as np

from handgrad.load import gallery
from handgrad.pipeline import check

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


def tolerances(network, device, every_draw=False):
    """Return what rounding allows each quantity, measured as the judge does or with every draw."""
    findings = check(network, device, every_draw=every_draw).findings
    return {finding.name: finding.tolerance for finding in findings}


def assert_step_allowed(measured, differences, stepped, rate):
    """Hold one step of training against what rounding allows.

    Args:
        measured: gives the tolerances; called with True for those of every draw. A draw can only
            widen them, and takes long: they are all made where fewer do not do.
        differences: for each quantity of the pass, how far it is off.
        stepped: for each parameter, how far it is off after the step, and its largest number.
        rate: the learning rate of the step.
    """
    for every_draw in (False, True):
        tolerance = measured(every_draw)
        allowed = {name: tolerance[name] for name in differences}
        for name, (_, largest) in stepped.items():
            # the gradients' own tolerance, then each side rounds a product and a difference
            rounding = 2 * np.finfo(largest.dtype).eps * largest
            allowed[name] = rate * tolerance[f"grad_{name}"] + rounding
        found = {**differences, **{name: difference for name, (difference, _) in stepped.items()}}
        beyond = {name: off for name, off in found.items() if not off <= allowed[name]}
        if not beyond:
            return
    raise AssertionError(f"{beyond} where {allowed} is allowed")
