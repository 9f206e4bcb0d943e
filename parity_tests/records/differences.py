"""Two records against each other: is it the same computation, there as here?"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from parity_tests import variants
from parity_tests.compare.drift import Drift, apart, loss_tolerance
from parity_tests.compare.judge import Cause, Finding, judge, same_side
from parity_tests.compare.noise import float64_traces, roundings, tolerances
from parity_tests.compare.precision import PRECISIONS, rounded
from parity_tests.compare.steps import Steps, judge_steps
from parity_tests.compare.trace import reference_trace
from parity_tests.errors import InputError
from parity_tests.explain.causes import explain
from parity_tests.records.take import Record
from parity_tests.report import Report
from parity_tests.run import build_reference

MOST_EXPLAINED = 5  # wrong steps of each run; the search for a cause takes time


class Difference(NamedTuple):
    """Two Records held against each other.

    `environments` has what differs between the two, triples of a name and both sides' values;
    `alone` has sentences on what just one of them holds.
    """

    records: tuple[Record, Record]
    reports: list[Report]
    environments: list[tuple[str, object, object]]
    alone: list[str]


def compare_records(first, second, precision=None, progress=iter):
    """Compare two Records, every Run with its counterpart, and return the Difference.

    `precision` is for `compare_runs`, and `progress` wraps the list of pairs.
    """
    found = pairs(first, second)
    reports = [compare_runs(ours, theirs, precision) for ours, theirs in progress(found)]
    paired = {id(run) for pair in found for run in pair}
    alone = [
        f"Only the {place} record has {run.variant} in {run.dtype}."
        for place, record in (("first", first), ("second", second))
        for run in record.runs
        if id(run) not in paired
    ]
    return Difference((first, second), reports, environments(first, second, found), alone)


def environments(first, second, found):
    """Return what differs: first the settings of paired Runs, which explain most."""
    rows = {}
    for ours, theirs in found:
        where = " / ".join(dict.fromkeys((ours.dtype, theirs.dtype)))
        for name, value in ours.settings.items():
            if value != theirs.settings.get(name):
                rows[f"{name} ({where})"] = (value, theirs.settings.get(name))
    sides = [{"device": record.device, **record.environment} for record in (first, second)]
    for name in dict.fromkeys([*sides[0], *sides[1]]):
        if sides[0].get(name) != sides[1].get(name):
            rows[name] = (sides[0].get(name), sides[1].get(name))
    return [(name, *values) for name, values in rows.items()]


def pairs(first, second):
    """Pair the Runs of two Records by variant and dtype, and return the pairs.

    Where they share no dtype of a variant, the widest of each are paired. Raises InputError
    where they share no variant.
    """
    found = []
    for name in variants.VARIANTS:
        ours, theirs = by_dtype(first, name), by_dtype(second, name)
        shared = [dtype for dtype in ours if dtype in theirs]
        if shared:
            found += [(ours[dtype], theirs[dtype]) for dtype in shared]
        elif ours and theirs:
            found.append((next(iter(ours.values())), next(iter(theirs.values()))))
    if not found:
        raise InputError(
            "The two records share no variant: the first has "
            f"{names(first)}, the second {names(second)}; record the same ones."
        )
    return found


def by_dtype(record, name):
    """Return the Runs of one variant in a Record by their dtypes, the widest first."""
    runs = {run.dtype: run for run in record.runs if run.variant == name}
    return {dtype: runs[dtype] for dtype in PRECISIONS if dtype in runs}


def names(record):
    """Return the names of a Record's variants, for a message."""
    return ", ".join(dict.fromkeys(run.variant for run in record.runs)) or "none"


def compare_runs(first, second, precision=None):
    """Compare two Runs of a variant from the same weights and data, and return the Report.

    They are judged by the noise of `precision`, by default that of the coarser of the two. The
    noise is measured here, from the recorded weights and data, and so is how far the losses
    may drift apart. Raises InputError where weights, data, seeds or quantities are not the same.
    """
    start = max(first, second, key=lambda run: PRECISIONS[run.dtype].eps)
    precision = precision or PRECISIONS[start.dtype]
    with np.errstate(all="ignore"):
        check_whole("first", first)
        check_whole("second", second)
        check_same(first, second, PRECISIONS[start.dtype])
        reference = build_reference(start.variant, weights(start, np.float64))
        findings, moved = compare_traces(first, second, reference, start, precision)
        drift = losses_drift(first, second, start, precision)
        findings.append(drift_finding(drift))
        findings, notes = reasons(findings, first, second, reference, start, precision)
    return Report(
        variant=first.variant,
        device="",
        dtype=" / ".join(dict.fromkeys((first.dtype, second.dtype))),
        loss=float(first.trace["loss"]),
        findings=findings,
        notes=notes,
        arrays={name: (array, moved[name]) for name, array in first.trace.items()},
        drift=drift,
    )


def check_whole(place, run):
    """Raise InputError unless a Run has weights and data that fit, and all that comes of them."""
    try:
        if len(run.x) != len(run.y):
            raise ValueError("rows")
        reference = build_reference(run.variant, weights(run, np.float64))
        expected = reference_trace(reference, run.x, run.y)
    except (KeyError, ValueError, RuntimeError):
        raise InputError(
            f"The weights and data of {run.variant} in the {place} record do not fit together: "
            "record it again."
        ) from None
    found = {name: array.shape for name, array in run.trace.items()}
    if found != {name: array.shape for name, array in expected.items()}:
        raise InputError(
            f"The {place} record has other quantities of {run.variant} than this Handgrad "
            "computes: record it again."
        )


def weights(run, dtype=None):
    """Return the weights of a Run, those of its trace that are parameters."""
    parameters = variants.torch_side(run.variant).PARAMETERS
    return {name: run.trace[name].astype(dtype or run.x.dtype) for name in parameters}


def check_same(first, second, precision):
    """Raise InputError unless two Runs start from the same numbers, rounded to `precision`."""
    name = first.variant
    if first.seed != second.seed:
        raise InputError(
            f"{name} has seed {first.seed} in the first record and {second.seed} in the second: "
            "record both with the same --seed."
        )
    sides = [{**weights(run), "x": run.x, "y": run.y} for run in (first, second)]
    for key in sides[0]:
        ours, theirs = sides[0][key], sides[1][key]
        if ours.shape != theirs.shape:
            raise InputError(
                f"`{key}` of {name} is {ours.shape} in the first record and {theirs.shape} in the "
                "second: record both with the same --size."
            )
        if not np.array_equal(rounded(ours, precision), rounded(theirs, precision)):
            raise InputError(
                f"`{key}` of {name} has other numbers in the first record than in the second: "
                "record both from the same weights and data."
            )


def compare_traces(first, second, reference, start, precision):
    """Compare two traces; return the Findings and the second trace as it was compared.

    Where rounding put an entry on the one side of a kink in one run and on the other in the
    other, each went on with another gradient, and both are right. How much that changes is
    known (a run of the reference on either side), and the second trace is moved by it.
    """
    x, y = start.x, start.y
    traces = float64_traces(reference, weights(start), x, y, precision)
    *_, measured = roundings(traces, precision)
    allowed = tolerances(measured, first.trace, reference.names, precision)
    if first.dtype != second.dtype:  # the weights of one are those of the other, rounded
        allowed |= {name: measured[name].noise for name in reference.names}
    sides = [
        reference_trace(reference, x, y, same_side(run.trace, allowed)) for run in (first, second)
    ]
    moved = {}
    for name, array in second.trace.items():
        shift = sides[0][name] - sides[1][name]
        moved[name] = array + np.where(np.isfinite(shift), shift, 0)
    findings = judge(first.trace, moved, measured, allowed, reference.names, precision)
    factor = precision.factor(len(x))
    if all(rounding.largest * factor <= precision.max for rounding in measured.values()):
        findings = [finite_only(f, first.trace[f.name], moved[f.name]) for f in findings]
    return findings, moved


def finite_only(finding, ours, theirs):
    """Return a Finding as a mismatch where an entry is not finite though nothing overflows."""
    if np.isfinite(ours).all() and np.isfinite(theirs).all():
        return finding
    return replace(finding, difference=float("inf"), verdict="mismatch")


def losses_drift(first, second, start, precision):
    """Return the Drift of two Runs' losses; raise InputError where one has more steps."""
    network = variants.manual_side(first.variant)
    rates = network.LEARNING_RATES
    for place, run in (("first", first), ("second", second)):
        if run.losses.shape != (len(rates),):
            raise InputError(
                f"The {place} record has {run.losses.size} losses of {run.variant}, and this "
                f"Handgrad trains for {len(rates)} steps: record it again."
            )
    allowed = loss_tolerance(network, weights(start), start.x, start.y, rates, precision)
    difference = apart(first.losses, second.losses)
    broken = ~(np.isfinite(first.losses) & np.isfinite(second.losses)) & np.isfinite(allowed)
    return Drift(first.losses, second.losses, np.where(broken, np.inf, difference), allowed)


def drift_finding(drift):
    """Return the Finding on the losses: that of the step that is worst against its tolerance."""
    excess = np.where(np.isfinite(drift.tolerance), drift.difference / drift.tolerance, 0)
    worst = int(np.nan_to_num(excess, posinf=np.inf).argmax())
    difference, tolerance = float(drift.difference[worst]), float(drift.tolerance[worst])
    verdict = "match" if difference <= tolerance else "mismatch"
    return Finding("losses", "losses", drift.ours.shape, difference, tolerance, verdict)


def reasons(findings, first, second, reference, start, precision):
    """Say why two Runs differ, where they do: return the Findings, with a cause, and sentences."""
    names = [finding.name for finding in findings if finding.verdict == "mismatch"]
    if names == ["losses"]:
        return findings, ["One pass agrees, the training does not: it was not done alike."]
    if not names:
        return findings, precision_notes(first, second, reference, start, precision)
    sides = {}
    for place, run in (("first", first), ("second", second)):
        steps = Steps({**run.trace, **weights(start)}, reference, start.x, start.y, precision)
        wrong = [finding for finding in judge_steps(steps) if finding.verdict == "wrong"]
        sides[place] = [(finding, steps) for finding in wrong]
    # Another precision shows in every product, a third of the steps; a mistake in one or a few.
    if max(map(len, sides.values())) >= len(findings) / 4:
        for other in PRECISIONS.values():
            if other.eps > precision.eps and all(
                finding.verdict == "match"
                for finding in compare_traces(first, second, reference, start, other)[0]
            ):
                cause = Cause(
                    "precision",
                    f"The runs differ by more than the rounding of {precision.name}, but by no "
                    f"more than that of {other.name}, in many steps: as if one of them had "
                    f"computed in {other.name}.",
                )
                at = names[0]
                return [replace(f, cause=cause) if f.name == at else f for f in findings], []
    notes = [
        f"In the {place} record: {explain(steps, finding.name).message}"
        for place, wrong in sides.items()
        for finding, steps in wrong[:MOST_EXPLAINED]
    ]
    return findings, notes


def precision_notes(first, second, reference, start, precision):
    """Say of Runs in two precisions how far they are apart by the noise of the finer one."""
    finer = min((PRECISIONS[run.dtype] for run in (first, second)), key=lambda p: p.eps)
    if finer.eps == precision.eps:
        return []
    found, _ = compare_traces(first, second, reference, start, finer)
    computed = [finding for finding in found if finding.kind != "parameter"]
    worst = max(computed, key=lambda finding: finding.ratio)
    if worst.verdict == "match":
        return []
    return [
        f"{first.variant}: a difference of precision. By the rounding of {finer.name} "
        f"`{worst.name}` is off {worst.ratio:.3g} times what is allowed, by that of "
        f"{precision.name} all match."
    ]
