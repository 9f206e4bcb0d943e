"""One variant on one device in one dtype: draw, load, run both, compare."""

import numpy as np
import torch

from parity_tests import variants
from parity_tests.compare.devices import exact_float32
from parity_tests.compare.judge import whole_run
from parity_tests.compare.trace import watched
from parity_tests.compare.weights import Reference, load
from parity_tests.errors import InputError
from parity_tests.explain.verdicts import verdicts
from parity_tests.own.lines import assigned
from parity_tests.own.names import suggestion
from parity_tests.own.running import run_both
from parity_tests.report import Report

DTYPES = {"float64": torch.float64, "float32": torch.float32}


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

    All arrays have one dtype, in which both compute. Where the whole runs do not match, each
    step is judged on its own. A run that overflows is no error: both versions have to say so.
    """
    with np.errstate(over="ignore", invalid="ignore"), exact_float32():
        reference = build_reference(name, params, device)
        given = own_trace(variants.manual_side(name), reference, params, x, y)
        findings = whole_run(given, reference, x, y)
        if any(finding.verdict == "mismatch" for finding in findings):
            findings = verdicts(given, reference, x, y)
    report = Report(name, device, str(x.dtype), float(given["loss"]), findings)
    if not report.ok:
        source = variants.manual_side(name).__file__
        report.lines.update(assigned(source, {finding.name for finding in findings}))
    return report


def own_trace(network, reference, params, x, y):
    """Record a hand-written network; raise InputError where it fails, or misses a quantity."""
    path = network.__file__
    values, grads = run_both(network.forward, network.backward, path, params, x, y)
    given = {**params, **values, **grads}
    values_of = watched(reference).values()
    known = [*reference.names, *values_of, "loss"]
    known += [f"grad_{name}" for name in (*reference.names, *values_of)]
    for name in known:
        if name not in given:
            raise InputError(f"{path} returns no `{name}`: the PyTorch version has it.")
    for name in given:
        if name not in known:
            raise InputError(
                f"{path} returns `{name}`, which the PyTorch version does not have"
                f"{suggestion(name, known)}."
            )
    return given


def compare_variant(name, device="cpu", dtype="float64", seed=0, sizes=None):
    """Compare a variant's two versions on weights and data drawn from a seed.

    `sizes` is a dict such as n=64, h1=16 of those that are not the notebook's.
    """
    params, x, y = variants.draw(name, seed, np.dtype(dtype), **(sizes or {}))
    return compare(name, params, x, y, device)
