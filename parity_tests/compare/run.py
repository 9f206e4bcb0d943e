"""One variant on one device in one dtype: draw, load, run both, compare."""

from dataclasses import dataclass

import numpy as np
import torch

from parity_tests import variants
from parity_tests.compare.devices import exact_float32
from parity_tests.compare.judge import Finding, whole_run
from parity_tests.compare.trace import manual_trace
from parity_tests.compare.weights import Reference, load

DTYPES = {"float64": torch.float64, "float32": torch.float32}


@dataclass(frozen=True)
class Report:
    """What a comparison found: the findings, in the order of computing, and where it ran."""

    variant: str
    device: str
    dtype: str
    loss: float
    findings: list[Finding]

    @property
    def ok(self):
        """True where every quantity that was given matches."""
        return self.first is None

    @property
    def first(self):
        """The name of the first quantity that does not match, or None."""
        return next((f.name for f in self.findings if f.verdict == "mismatch"), None)

    @property
    def worst(self):
        """The finding with the largest difference against its tolerance."""
        return max(self.findings, key=lambda finding: finding.ratio)


def build_reference(name, params, device="cpu"):
    """Make the PyTorch network of a variant on `device`, in the dtype of `params`, and load it."""
    side = variants.torch_side(name)
    dtype = DTYPES[str(params["w1"].dtype)]
    model = side.Net(**layer_sizes(name, params)).to(device, dtype)
    load(model, side.PARAMETERS, params)
    return Reference(model, side.PARAMETERS, side.loss_fn)


def layer_sizes(name, params):
    """Read the sizes of a variant's layers off its weights: d_in, the hidden ones, d_out."""
    weights = [w for w in params.values() if w.ndim == 2]
    numbers = [weights[0].shape[0], *(w.shape[1] for w in weights)]
    return dict(zip(list(variants.sizes(name))[1:], numbers, strict=True))


def compare(name, params, x, y, device="cpu"):
    """Run a variant's two versions from the same weights and data, and return the Report.

    All arrays have one dtype, in which both compute. A run that overflows is no error: both
    versions have to say so.
    """
    with np.errstate(over="ignore", invalid="ignore"), exact_float32():
        given = manual_trace(variants.manual_side(name), params, x, y)
        findings = whole_run(given, build_reference(name, params, device), x, y)
    return Report(name, device, str(x.dtype), float(given["loss"]), findings)


def compare_variant(name, device="cpu", dtype="float64", seed=0, sizes=None):
    """Compare a variant's two versions on weights and data drawn from a seed.

    `sizes` is a dict such as n=64, h1=16 of those that are not the notebook's.
    """
    params, x, y = variants.draw(name, seed, np.dtype(dtype), **(sizes or {}))
    return compare(name, params, x, y, device)
