"""Two records against each other: is it the same computation, there as here?"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from handgrad.compare.judge import compare, from_own_values, judge_steps, kind_of, ratio
from handgrad.compare.steps import Steps
from handgrad.compare.tolerance import noise_of
from handgrad.errors import InputError
from handgrad.explain.causes import explain
from handgrad.findings import Cause, Finding
from handgrad.load import gallery
from handgrad.pipeline import report_on
from handgrad.record.pairs import environments, pairs
from handgrad.record.start import check_same, check_whole, network_of
from handgrad.record.take import Record
from handgrad.report import Report
from handgrad.run.precision import FLOAT64, PRECISIONS
from handgrad.run.reference import Substitute, run_reference
from handgrad.train.drift import Drift, apart, check_trainable, loss_tolerance

MOST_EXPLAINED = 5  # wrong steps of each run; the search for a cause takes time

# Another precision shows in every product, a third of the steps or more; a mistake in one or few.
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


def compare_traces(first, second, network, precision):
    """Compare two traces; return the Findings.

    Where rounding put an entry on the one side of a kink in one run and on the other in the
    other, each went on with another gradient, and both are right. How much that changes is
    known (a run of the reference from the values of either), and the second run's gradients are
    moved by it.
    """
    # where the dtypes differ, the weights of one are those of the other, rounded
    exempt = network.params if first.dtype == second.dtype else {}
    noise = noise_of(network, precision, exempt=exempt).draw_all()
    sides = [
        run_reference(network, FLOAT64, substitute=Substitute(move=move)).quantities
        for move in (from_own_values(run.trace, noise, {}) for run in (first, second))
    ]
    moved = dict(second.trace)
    for name in (name for name in moved if name.startswith("grad_")):
        shift = sides[0][name] - sides[1][name]
        moved[name] = moved[name] + np.where(np.isfinite(shift), shift, 0)
    findings = [
        replace(found, kind=kind_of(name, network.params))
        for name, found in compare(first.trace, moved, noise).items()
    ]
    if any(noise.may_overflow(name) for name in noise.exact):
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
    check_trainable(network)
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
    count = sum(finding.kind in ("value", "loss", "gradient") for finding in findings)
    if max(map(len, sides.values())) >= count * MANY_STEPS:
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
