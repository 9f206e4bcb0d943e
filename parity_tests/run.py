"""One variant on one device in one dtype: draw, load, run both, compare."""

import hashlib

import numpy as np

from parity_tests import variants
from parity_tests.compare.judge import whole_run
from parity_tests.compare.precision import PRECISIONS, arithmetic, precision_of, rounded, settings
from parity_tests.compare.trace import reference_trace, watched
from parity_tests.compare.weights import Reference, load
from parity_tests.errors import InputError
from parity_tests.explain.verdicts import verdicts
from parity_tests.own.lines import assigned
from parity_tests.own.names import suggestion
from parity_tests.own.running import run_both
from parity_tests.report import WRONG, Report


def build_reference(name, params, device="cpu", precision=None):
    """Make the PyTorch network of a variant on `device` and load `params` into it.

    It computes in `precision`, by default in the dtype of `params`.
    """
    side = variants.torch_side(name)
    dtype = (precision or precision_of(params)).torch
    model = side.Net(**layer_sizes(name, params)).to(device, dtype)
    load(model, side.PARAMETERS, params)
    return Reference(model, side.PARAMETERS, side.loss_fn)


def layer_sizes(name, params):
    """Read the sizes of a variant's layers off its weights: d_in, the hidden ones, d_out."""
    weights = [w for w in params.values() if w.ndim == 2]
    numbers = [weights[0].shape[0], *(w.shape[1] for w in weights)]
    return dict(zip(list(variants.sizes(name))[1:], numbers, strict=True))


def compare(name, params, x, y, device="cpu", precision=None, repeat=0, network=None):
    """Run a variant's two versions from the same weights and data, and return the Report.

    All arrays have one dtype, in which both compute, or that in which the hand-written side
    imitates `precision`. Both the whole runs and each step on its own have to match; where one
    of them does not, the report is on the steps. A run that overflows is no error: both
    versions have to say so. PyTorch's runs once, or `repeat` times to count different results.
    The hand-written side is `network`, by default the variant's own.
    """
    precision = precision or precision_of(params)
    network = network or variants.manual_side(name)
    with np.errstate(over="ignore", invalid="ignore"), arithmetic(precision, device):
        reference = build_reference(name, params, device, precision)
        given = own_trace(network, reference, params, x, y)
        findings, computed = whole_run(given, reference, x, y, precision)
        steps, step_computed = verdicts(given, reference, x, y, precision)
        distinct = distinct_results(reference, x, y, repeat)
        found = settings(precision, device)
    if any(finding.verdict in WRONG for finding in findings + steps):
        findings, computed = steps, step_computed
    arrays = {name: (array, computed[name]) for name, array in given.items()}
    report = Report(
        name,
        device,
        precision.name,
        float(given["loss"]),
        findings,
        arrays=arrays,
        settings=found,
        distinct=distinct,
    )
    if not report.ok:
        report.lines.update(assigned(network.__file__, {finding.name for finding in findings}))
    return report


def distinct_results(reference, x, y, times):
    """Run PyTorch's version several times; count for each quantity what differs in any bit."""
    seen: dict[str, set[bytes]] = {}
    for _ in range(times):
        for name, array in reference_trace(reference, x, y).items():
            seen.setdefault(name, set()).add(hashlib.sha256(array.tobytes()).digest())
    return {name: len(results) for name, results in seen.items()}


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


def compare_variant(name, device="cpu", dtype="float64", seed=0, sizes=None, repeat=0):
    """Compare a variant's two versions on weights and data drawn from a seed.

    `sizes` is a dict such as n=64, h1=16 of those that are not the notebook's; for `repeat` see
    `compare`.
    """
    precision = PRECISIONS[dtype]
    params, x, y = draw(name, seed, precision, sizes)
    return compare(name, params, x, y, device, precision, repeat)


def draw(name, seed, precision, sizes=None):
    """Draw `params, x, y` of a variant from a seed: numbers that the precision can hold."""
    params, x, y = variants.draw(name, seed, precision.numpy, **(sizes or {}))
    params = {key: rounded(w, precision) for key, w in params.items()}
    return params, rounded(x, precision), rounded(y, precision)
