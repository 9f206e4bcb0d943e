"""The way of every check: load -> run -> compare -> explain -> Report.

A Network is loaded by `handgrad.load`, from the gallery, a file, a notebook or live variables.
What follows is the same for all of them, and it is this page.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from handgrad.compare.both import judge_guessed
from handgrad.compare.conduct import conduct_of, with_faults
from handgrad.compare.repeat import counted
from handgrad.compare.steps import Steps
from handgrad.errors import InputError
from handgrad.explain.causes import explain
from handgrad.explain.contradiction import held_against_the_loss
from handgrad.explain.correct.corrected import with_fixes
from handgrad.explain.finite_difference import findings_on, slopes
from handgrad.explain.groups import notes_on_groups
from handgrad.explain.origin import with_origins
from handgrad.explain.passes import sentence
from handgrad.findings import FAILED, Finding
from handgrad.load import file, gallery
from handgrad.load.function import load as load_function
from handgrad.load.lines import with_lines
from handgrad.load.names import in_own_words
from handgrad.network import Array, Network
from handgrad.report import ReferenceKind, Report
from handgrad.run.hand_written import failure, named_inputs, one_line, run_hand_written
from handgrad.run.precision import PRECISIONS, Precision, arithmetic, precision_of, settings

Tell = Callable[[str], None]


def silent(_: str) -> None:
    """Tell nobody what is done."""


def check(
    network: Network,
    device: str = "cpu",
    precision: Precision | None = None,
    repeat: int = 0,
    every_draw: bool = False,
    depth: int = 1,
    tell: Tell = silent,
) -> Report:
    """Run both sides of a Network from the same weights and data, and return the Report.

    Args:
        network: what is compared. Its hand-written side runs in the dtype of its parameters.
        device: where the reference runs: `cpu`, `cuda`, `cuda:1`, ...
        precision: what the reference computes in, by default the dtype of the parameters.
        repeat: run the reference so many times, and count the different results.
        every_draw: measure every tolerance as well as it can be, also where no difference
            needs it.
        depth: how many changes, one or two, a corrected line may have.
        tell: is called with what is done, where that takes a while.

    Raises:
        InputError: one sentence on what cannot be run or compared.
    """
    precision = precision or precision_of(network.params or named_inputs(network.x))
    notes = list(network.notes)
    reference: ReferenceKind
    with np.errstate(all="ignore"):
        actual = run_hand_written(network)
        if network.reference is None:
            reference, measured = "differences", slopes(network, actual)
            findings = findings_on(network, actual, measured)
            notes.append(sentence(measured, []))
        else:
            reference = network.reference.kind
            findings, more = judged(network, actual, precision, device, every_draw)
            if repeat:
                findings = counted(findings, network, precision, device, repeat)
            notes += more
            measured = []
            if network.forward is not None and any(f.verdict != "match" for f in findings):
                findings, measured = held_against_the_loss(network, actual, precision, findings)
            if any(f.verdict == "wrong" for f in findings):
                tell(f"{network.name}: looking for the right line")
                findings = with_fixes(network, findings, depth)
            if measured or reference == "forward":
                notes.append(sentence(measured, findings, reference == "forward"))
        with arithmetic(precision, device):
            used = settings(precision, device)
    report = report_on(network, findings, actual, device, precision.name, reference, notes, used)
    return traced_back(report, network)


def traced_back(report: Report, network: Network) -> Report:
    """Return a Report that says where nan or inf, or several mistakes at once, come from."""
    findings, notes = report.findings, list(report.notes)
    lost = [finding for finding in findings if is_lost(finding)]
    if network.forward is not None and lost:
        findings, more = with_origins(network, findings, lost)
        notes += more
    if sum(finding.verdict == "wrong" for finding in findings) > 1:
        notes += notes_on_groups(findings)
    return replace(report, findings=findings, notes=notes)


def judged(
    network: Network,
    actual: dict[str, Array],
    precision: Precision,
    device: str,
    every_draw: bool,
) -> tuple[list[Finding], list[str]]:
    """Judge and explain; raise InputError where the reference, or its loss, refuses the numbers."""
    try:
        findings, steps, notes = judge_guessed(network, actual, precision, device, every_draw)
        if network.is_complete:
            gallery.check_complete(network, actual, findings)
        with arithmetic(precision, device):
            return [explained(finding, steps[finding.name]) for finding in findings], notes
    except (InputError, MemoryError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise InputError(
            f"{network.name}: the reference fails on the hand-written quantities: "
            f"{one_line(error)}."
        ) from error


def explained(finding: Finding, steps: Steps) -> Finding:
    """Return a Finding with its cause, where it is wrong."""
    if finding.verdict != "wrong" or finding.cause is not None:
        return finding
    return replace(finding, cause=explain(steps, finding.name))


def report_on(
    network: Network,
    findings: list[Finding],
    actual: dict[str, Array],
    device: str,
    dtype: str,
    reference: ReferenceKind,
    notes: list[str],
    settings: dict[str, str],
    drift: Any = None,
) -> Report:
    """Return the Report of what was found: in the user's words, with the lines of their file."""
    loss = actual.get("loss", np.zeros(0))
    verdict, error = undecided(network.name, findings)
    if any(finding.verdict != "match" for finding in findings):
        findings = with_lines(findings, network)
    if reference == "forward":
        findings = [f for f in findings if f.kind == "gradient" or f.verdict != "missing"]
        findings = [replace(f, verdict="yours") if is_own(f) else f for f in findings]
    if network.names:
        findings = in_own_words(findings, network.names)
    return Report(
        variant=network.name,
        source=network.source or network.name,
        verdict="mismatch" if any(f.verdict in FAILED for f in findings) else verdict,
        error=error,
        device=device,
        dtype=dtype,
        reference=reference,
        findings=findings,
        loss=float(loss.reshape(-1)[0]) if loss.size == 1 else None,
        notes=notes,
        settings=settings,
        drift=drift,
    )


def undecided(name: str, findings: list[Finding]) -> tuple[Literal["match", "error"], str | None]:
    """Return the verdict of a report in which nothing fails, and why it is an error, if it is."""
    first = next((f.name for f in findings if f.verdict == "inconclusive"), None)
    judged = any(f.verdict != "inconclusive" for f in findings if f.kind == "gradient")
    if first is None or (judged and all(f.kind == "gradient" for f in findings)):
        return "match", None  # differences of the loss, of which some crossed a kink
    return "error", (
        f"{name}: no verdict can be had: its numbers are so amplified that rounding alone could "
        f"make any number of `{first}`; use smaller weights, or fewer steps."
    )


def is_lost(finding: Finding) -> bool:
    """Say whether nan or inf is where it is of no use: a value may be -inf where it is masked."""
    has_it = finding.actual is not None and not np.isfinite(finding.actual).all()
    return has_it and (finding.kind != "value" or finding.verdict == "wrong")


def is_own(finding: Finding) -> bool:
    """Say whether a Finding, against the user's own forward pass, is right by definition."""
    return finding.kind != "gradient" and finding.verdict == "match"


def check_gallery(
    name: str,
    device: str = "cpu",
    dtype: str = "float64",
    seed: int = 0,
    sizes: dict[str, int] | None = None,
    repeat: int = 0,
) -> Report:
    """Check a network of the gallery; a Report with an error where it cannot be judged."""
    try:
        network = gallery.load(name, dtype, seed, sizes)
        return check(network, device, PRECISIONS[dtype], repeat)
    except InputError as error:
        return Report(name, name, "error", device, dtype, error=str(error))


def check_file(path: str | Path, depth: int = 1, tell: Tell = silent) -> list[Report]:
    """Check each derivation in a file or a notebook; a Report with an error where that cannot be.

    For `depth` and `tell` see `check`.

    A user's code runs at their every array, name and function, so whatever is raised, but by
    Ctrl-C, is an error of the file's.
    """
    reports: list[Report] = []
    try:
        with file.opened(path) as networks:
            reports += [loaded(path, load, depth, tell) for load in networks]
    except KeyboardInterrupt:
        raise
    except InputError as error:
        reports.append(error_report(path, error))
    except BaseException as error:
        reports.append(error_report(path, failure(str(path), error, str(path))))
    return reports


def loaded(path: str | Path, load: Callable[[], Network], depth: int, tell: Tell) -> Report:
    """Load one of the Networks in a file, and check it; a Report with an error likewise."""
    try:
        return check(load(), depth=depth, tell=tell)
    except InputError as error:
        return error_report(path, error)


def error_report(path: str | Path, error: object) -> Report:
    """Return the Report on a file that cannot be judged, with a sentence that names it."""
    said = str(error) if str(path) in str(error) else f"{path}: {error}"
    return Report(Path(path).name, str(path), "error", error=said)


def check_function(
    function: Any, inputs: tuple[Any, ...], reference: Callable[..., Any] | None = None
) -> Report:
    """Check a custom autograd.Function on its inputs; see `handgrad.check_function`."""
    network, precision, subject, arguments = load_function(function, inputs, reference)
    with np.errstate(all="ignore"):
        conduct = conduct_of(subject, arguments)
    device = str(arguments.like(arguments.judged[0]).device)
    report = check(network, device, precision)
    if report.reference == "module":
        report = replace(report, reference="function")
    report = replace(report, notes=[*report.notes, *conduct.notes])
    if not conduct.faults:
        return report
    findings = with_faults(report.findings, conduct.faults)
    return replace(report, findings=findings, verdict="mismatch", error=None)
