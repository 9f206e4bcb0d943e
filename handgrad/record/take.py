"""Taking a record: what PyTorch computes on one device, and how it trains there."""

from typing import NamedTuple

import numpy as np

from handgrad.load import gallery
from handgrad.network import Inputs
from handgrad.run.precision import PRECISIONS, arithmetic, settings
from handgrad.run.reference import run_reference
from handgrad.train.drift import train_reference


class Run(NamedTuple):
    """One network of the gallery in one precision: what went in, and all that came out.

    `sizes` are the arguments of `init` that it was drawn with. `trace` has the weights, every
    value and every gradient of one pass, `losses` the loss before each step of the network's
    training, as float64; it is empty where the network is not trained. `settings` are torch's.
    """

    variant: str
    dtype: str
    seed: int
    sizes: dict[str, int]
    settings: dict[str, str]
    x: Inputs
    y: np.ndarray
    trace: dict[str, np.ndarray]
    losses: np.ndarray


class Record(NamedTuple):
    """Runs on one device, and the environment that they were made in."""

    device: str
    environment: dict[str, str | int | None]
    runs: list[Run]


def take(name, device="cpu", dtype="float64", seed=0, sizes=None):
    """Run a network's PyTorch version on a device: one pass, then its training."""
    precision, network = PRECISIONS[dtype], gallery.load(name, dtype, seed, sizes)
    with arithmetic(precision, device):
        found = settings(precision, device)
        trace = run_reference(network, precision, device).quantities
    losses = np.zeros(0)
    if gallery.is_trained(name):
        losses = train_reference(network, gallery.learning_rates(name), precision, device)
    sizes = dict(network.sizes)
    return Run(name, dtype, seed, sizes, found, network.x, network.y, trace, losses)
