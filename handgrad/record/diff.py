"""Two records against each other: is it the same computation, there as here?"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch

from handgrad.compare.judge import Steps, compare, judge_steps, kind_of, ratio, same_side
from handgrad.compare.tolerance import Noise
from handgrad.errors import InputError
from handgrad.explain.causes import explain
from handgrad.findings import Cause, Finding
from handgrad.load import gallery
from handgrad.network import Network
from handgrad.pipeline import report_on
from handgrad.record.pairs import environments, pairs
from handgrad.record.take import Record
from handgrad.report import Report
from handgrad.run.hand_written import named_inputs
from handgrad.run.perturb import perturbed_runs
from handgrad.run.precision import FLOAT64, PRECISIONS, rounded
from handgrad.run.reference import Substitute, oriented, path_of, run_reference
from handgrad.train.drift import Drift, apart, loss_tolerance

MOST_EXPLAINED = 5  # wrong steps of each run; the search for a cause takes time

# Another precision shows in every product, a third of the steps; a mistake in one or a few.
MANY_STEPS = 1 / 4


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
    reports = [compare_runs(one, other, precision) for one, other in progress(found)]
    paired = {id(run) for pair in found for run in pair}
    alone = [
        f"Only the {place} record has {run.variant} in {run.dtype}."
        for place, record in (("first", first), ("second", second))
        for run in record.runs
        if id(run) not in paired
    ]
    return Difference((first, second), reports, environments(first, second, found), alone)


def compare_runs(first, second, precision=None):
    """Compare two Runs of a network from the same weights and data, and return the Report.

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
        network = network_of(start)
        findings = compare_traces(first, second, network, precision)
        drift = losses_drift(first, second, network, precision)
        if drift is not None:
            findings.append(drift_finding(drift))
        findings, notes = reasons(findings, first, second, network, precision)
    dtype = " / ".join(dict.fromkeys((first.dtype, second.dtype)))
    return report_on(network, findings, first.trace, "", dtype, "run", notes, {}, drift)


def network_of(run):
    """Return the Network that a Run is of, with its weights and data; it has no lines to show."""
    check_sizes(run)
    side, reference = gallery.manual_side(run.variant), gallery.build_reference(run.variant, run.sizes)
    return Network(
        name=run.variant,
        params=weights(run),
        x=run.x,
        y=run.y,
        reference=reference,
        forward=side.forward,
        backward=side.backward,
        sizes=run.sizes,
    )


def check_sizes(run):
    """Raise ValueError where the sizes of a Run are not those of its weights.

    Asked of a module without numbers, so that sizes which are not true cost no memory.
    """
    with torch.device("meta"):
        reference = gallery.build_reference(run.variant, run.sizes)
    parameters = dict(reference.model.named_parameters())
    for name, entry in reference.parameters.items():
        wanted = oriented(parameters[path_of(entry, parameters)], entry, parameters).shape
        if run.trace[name].shape != tuple(wanted):
            raise ValueError(name)


def check_whole(place, run):
    """Raise InputError unless a Run has weights and data that fit, and all that comes of them."""
    try:
        if len({len(array) for array in (*named_inputs(run.x).values(), run.y)}) > 1:
            raise ValueError("rows")
        expected = run_reference(network_of(run), FLOAT64).quantities
    except (KeyError, ValueError, IndexError, TypeError, RuntimeError):
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


def weights(run):
    """Return the weights of a Run, in the dtype in which the hand-written side computes for it."""
    dtype = PRECISIONS[run.dtype].numpy
    names = gallery.torch_side(run.variant).PARAMETERS
    return {name: run.trace[name].astype(dtype) for name in names}


def check_same(first, second, precision):
    """Raise InputError unless two Runs start from the same numbers, rounded to `precision`."""
    name = first.variant
    if first.seed != second.seed:
        raise InputError(
            f"{name} has seed {first.seed} in the first record and {second.seed} in the second: "
            "record both with the same --seed."
        )
    sides = [{**weights(run), **named_inputs(run.x), "y": run.y} for run in (first, second)]
    for key in sides[0]:
        actual, expected = sides[0][key], sides[1][key]
        if actual.shape != expected.shape:
            raise InputError(
                f"`{key}` of {name} is {actual.shape} in the first record and {expected.shape} in "
                "the second: record both with the same --size."
            )
        if not np.array_equal(rounded(actual, precision), rounded(expected, precision)):
            raise InputError(
                f"`{key}` of {name} has other numbers in the first record than in the second: "
                "record both from the same weights and data."
            )


def compare_traces(first, second, network, precision):
    """Compare two traces; return the Findings.

    Where rounding put an entry on the one side of a kink in one run and on the other in the
    other, each went on with another gradient, and both are right. How much that changes is
    known (a run of the reference on either side), and the second trace is moved by it.
    """
    exact = run_reference(network, FLOAT64)
    draws = perturbed_runs(network, precision, exact, {})
    # where the dtypes differ, the weights of one are those of the other, rounded
    exempt = network.params if first.dtype == second.dtype else {}
    noise = Noise(exact.quantities, draws, precision, exempt).draw_all()
    sides = [
        run_reference(network, FLOAT64, substitute=Substitute(move=same_side(run.trace, noise, {})))
        for run in (first, second)
    ]
    moved = {}
    for name, array in second.trace.items():
        shift = sides[0].quantities[name] - sides[1].quantities[name]
        moved[name] = array + np.where(np.isfinite(shift), shift, 0)
    findings = [
        replace(found, kind=kind_of(name, network.params))
        for name, found in compare(first.trace, moved, noise).items()
    ]
    if any(noise.may_overflow(name) for name in exact.quantities):
        return findings
    return [finite_only(found) for found in findings]


def finite_only(found):
    """Return a Finding as a mismatch where an entry is not finite though nothing overflows."""
    if np.isfinite(found.actual).all() and np.isfinite(found.expected).all():
        return found
    return replace(found, difference=np.inf, ratio=np.inf, verdict="mismatch")


def losses_drift(first, second, network, precision):
    """Return the Drift of two Runs' losses, None where the network is not trained.

    Raises InputError where one has more steps.
    """
    if not gallery.is_trained(first.variant):
        return None
    rates = gallery.learning_rates(first.variant)
    for place, run in (("first", first), ("second", second)):
        if run.losses.shape != (len(rates),):
            raise InputError(
                f"The {place} record has {run.losses.size} losses of {run.variant}, and this "
                f"Handgrad trains for {len(rates)} steps: record it again."
            )
    tolerance = loss_tolerance(network, rates, precision)
    difference = apart(first.losses, second.losses)
    broken = ~(np.isfinite(first.losses) & np.isfinite(second.losses)) & np.isfinite(tolerance)
    return Drift(first.losses, second.losses, np.where(broken, np.inf, difference), tolerance)


def drift_finding(drift):
    """Return the Finding on the losses: that of the step that is worst against its tolerance."""
    excess = np.where(np.isfinite(drift.tolerance), drift.difference / drift.tolerance, 0)
    worst = int(np.nan_to_num(excess, posinf=np.inf).argmax())
    difference, tolerance = float(drift.difference[worst]), float(drift.tolerance[worst])
    return Finding(
        name="losses",
        kind="losses",
        shape=drift.actual.shape,
        difference=difference,
        tolerance=tolerance,
        ratio=ratio(difference, tolerance),
        resolution=tolerance / float(drift.scale[worst]),
        verdict="match" if difference <= tolerance else "mismatch",
    )


def reasons(findings, first, second, network, precision):
    """Say why two Runs differ, where they do: return the Findings, with a cause, and sentences."""
    names = [finding.name for finding in findings if finding.verdict == "mismatch"]
    if names == ["losses"]:
        return findings, ["One pass agrees, the training does not: it was not done alike."]
    if not names:
        return findings, precision_notes(first, second, network, precision)
    sides = {}
    for place, run in (("first", first), ("second", second)):
        steps = Steps(network, {**run.trace, **network.params}, precision)
        wrong = [finding for finding in judge_steps(steps) if finding.verdict == "wrong"]
        sides[place] = [(finding, steps) for finding in wrong]
    if max(map(len, sides.values())) >= len(findings) * MANY_STEPS:
        for other in PRECISIONS.values():
            if other.eps > precision.eps and all(
                finding.verdict == "match"
                for finding in compare_traces(first, second, network, other)
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


def precision_notes(first, second, network, precision):
    """Say of Runs in two precisions how far they are apart by the noise of the finer one."""
    finer = min((PRECISIONS[run.dtype] for run in (first, second)), key=lambda p: p.eps)
    if finer.eps == precision.eps:
        return []
    found = compare_traces(first, second, network, finer)
    worst = max((f for f in found if f.kind != "parameter"), key=lambda finding: finding.ratio)
    if worst.verdict == "match":
        return []
    return [
        f"{first.variant}: a difference of precision. By the rounding of {finer.name} "
        f"`{worst.name}` is off {worst.ratio:.3g} times what is allowed, by that of "
        f"{precision.name} all match."
    ]
