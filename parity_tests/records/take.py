"""Taking a record: what PyTorch computes on one device, and how it trains there."""

from typing import NamedTuple

import numpy as np

from parity_tests import variants
from parity_tests.compare.drift import train_reference
from parity_tests.compare.precision import PRECISIONS, arithmetic, settings
from parity_tests.compare.trace import reference_trace
from parity_tests.run import build_reference, draw


class Run(NamedTuple):
    """One variant in one precision: what went in, and all that came out.

    `trace` has the weights, every value and every gradient of one pass, `losses` the loss
    before each step of the notebook's training, as float64. `settings` are torch's.
    """

    variant: str
    dtype: str
    seed: int
    settings: dict[str, str]
    x: np.ndarray
    y: np.ndarray
    trace: dict[str, np.ndarray]
    losses: np.ndarray


class Record(NamedTuple):
    """Runs on one device, and the environment that they were made in."""

    device: str
    environment: dict[str, str | int | None]
    runs: list[Run]


def take(name, device="cpu", dtype="float64", seed=0, sizes=None):
    """Run a variant's PyTorch version on a device: one pass, then the notebook's training."""
    precision = PRECISIONS[dtype]
    params, x, y = draw(name, seed, precision, sizes)
    with arithmetic(precision, device):
        found = settings(precision, device)
        trace = reference_trace(build_reference(name, params, device, precision), x, y)
    rates = variants.manual_side(name).LEARNING_RATES
    losses = train_reference(name, params, x, y, rates, device, precision)
    return Run(name, dtype, seed, found, x, y, trace, losses)
