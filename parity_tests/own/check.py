"""Check a derivation in live variables against a PyTorch module: `check`."""

import re
from dataclasses import replace

import numpy as np
import torch

from parity_tests.compare.weights import is_transposed
from parity_tests.errors import InputError
from parity_tests.explain.verdicts import verdicts
from parity_tests.own.names import (
    as_array,
    check_names,
    pair_parameters,
    pair_values,
    pick,
    strangers,
    with_repeats,
)
from parity_tests.own.reference import own_module, prepare
from parity_tests.report import Report


def check(quantities, reference, x, y, *, loss=None, names=None):
    """Say of each quantity of a hand-written derivation whether its step is right.

    Args:
        quantities: a mapping from names to NumPy arrays, tensors or numbers, such as
            `globals()`: the parameters, the values, `loss` and the gradients. The names that
            the reference knows are picked out of it: a submodule `h1` gives `h1`, gradients
            are `grad_h1`, `dh1`, `h1_grad` or `d_h1`, the parameters of the first layer `w1`
            and `b1`. What is not there is computed by the reference from what is.
        reference: an `nn.Module`, or a callable that makes one. A copy of it is loaded with
            the hand-written parameters; `nn.Linear` keeps its weight transposed. Its
            submodules are named after the quantities.
        x: the inputs, an array or a tensor, one row a sample.
        y: the targets, likewise; whole numbers stay whole, as class labels are.
        loss: a callable on output and y that returns one number; None is the sum of squared
            errors, `nn.MSELoss(reduction="sum")`.
        names: where names do not tell, a dict from yours to the paths of the reference's
            parameters or submodules, such as `{"weights": "h1.weight", "hidden": "h1"}`.

    Returns:
        A Report: it prints as a table, `report.ok` says whether all is right, `report.first`
        names the first quantity that is wrong.

    Raises:
        InputError: a ValueError with one sentence on what does not fit.
    """
    return check_mapping(quantities, reference, x, y, loss=loss, names=names)


def check_mapping(quantities, reference, x, y, *, loss=None, names=None, params=None, where=""):
    """Do what `check` does; `params` are the parameters in order, where they are known."""
    if not hasattr(quantities, "keys"):
        raise InputError(
            f"The quantities must be a mapping from names to arrays, such as globals(), found "
            f"{type(quantities).__name__}."
        )
    model = own_module(reference)
    quantities = dict(quantities)
    check_names(names, model, quantities)
    x, y = data("x", x), data("y", y)
    pairs = pair_parameters(
        model, quantities if params is None else params, names, in_order=params is not None
    )
    values = pair_values(model, quantities, names)
    wanted = [*pairs, *with_repeats(values.values(), quantities), "loss", "x"]
    given, own = pick(quantities, wanted)
    given.pop("x", None)
    weights = {name: given.pop(name) for name in pairs}
    prepared = prepare(model, pairs, values, weights, x, y, loss)
    check_some(given, prepared)
    given = {**weights, **given}
    with np.errstate(all="ignore"), torch.inference_mode(False), torch.enable_grad():
        findings, computed = verdicts(given, prepared, x, y)
    return Report(
        variant=where or "derivation",
        device=str(next(model.parameters()).device),
        dtype=str(np.result_type(*weights.values())),
        loss=float(given["loss"]) if np.size(given.get("loss", [])) == 1 else None,
        findings=[in_own_words(finding, own) for finding in findings],
        notes=[*paired(model, pairs, names), *strangers(quantities, wanted)],
        arrays={own.get(n, n): (given[n], computed[n]) for n in computed if n in given},
    )


def in_own_words(finding, own):
    """Return a Finding with the user's names in place of `grad_h1` and the like."""
    cause = finding.cause
    if cause is not None:
        message = re.sub(r"`(\w+)`", lambda m: f"`{own.get(m[1], m[1])}`", cause.message)
        cause = cause._replace(message=message)
    return replace(finding, name=own.get(finding.name, finding.name), cause=cause)


def data(name, array):
    """Return x or y as an array; raise InputError where it cannot be computed with."""
    found = as_array(array)
    if found is None or found.ndim == 0:
        raise InputError(
            f"{name} must be an array or a tensor, one row a sample, found {type(array).__name__}."
        )
    if found.size == 0 or found.dtype.kind not in "fiu":
        raise InputError(
            f"{name} must hold real numbers, found shape {found.shape} and dtype {found.dtype}."
        )
    if not np.isfinite(found).all():
        bad = int((~np.isfinite(found)).sum())
        raise InputError(
            f"{name} must be finite, found {bad} of {found.size} entries nan or inf: mend the data."
        )
    return found


def check_some(given, prepared):
    """Raise InputError where there is nothing to check: no value, no loss and no gradient."""
    if not given:
        known = ", ".join(dict.fromkeys([*prepared.names, *prepared.values.values()]))
        raise InputError(
            "None of the names is a quantity of the reference but its parameters: it knows "
            f"{known}, loss, and each one's gradient as grad_NAME, dNAME or NAME_grad."
        )


def paired(model, pairs, names):
    """Say which parameter was taken for which, unless that is what the user's `names` say."""
    if names is not None and pairs.items() <= names.items():
        return []
    shown = (
        f"{name} = {path}" + (" transposed" if is_transposed(model, path) else "")
        for name, path in pairs.items()
    )
    return [f"Paired: {', '.join(shown)}"]
