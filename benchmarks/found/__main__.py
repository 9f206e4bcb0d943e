"""What Handgrad makes of the found mistakes: `python -m benchmarks.found [--part ...] [--only ID]`.

A row for each case: whether something fails, whether the first that fails is where the mistake is,
the cause and whether it says what is true, the corrected line and whether it is the right one; then
the totals. A cause counts as true if it has one of the case's words: read those that are new.
"""

import argparse
import ast
import re
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch

from benchmarks.found.case import Case
from benchmarks.found.table import CASES
from handgrad.findings import FAILED, Finding
from handgrad.pipeline import check_file
from handgrad.report import Report

SECONDS = 60  # of computing, for one case
ONLY_WHERE = ("unknown", "elements")  # they say where the numbers differ, not why


class Outcome(NamedTuple):
    """What became of a Case: the answers, the Finding that they are about, the error if any."""

    found: bool = False
    placed: bool = False
    explained: bool = False
    fixed: bool = False
    finding: Finding | None = None
    error: str = ""
    seconds: float = 0.0


def main() -> None:
    """Print a row for each case, and the totals of each part."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", choices=("shown", "set-aside", "all"), default="shown")
    parser.add_argument("--only", action="append", metavar="ID")
    options = parser.parse_args()
    torch.set_num_threads(1)
    totals: dict[str, Counter[str]] = {}
    for case in CASES:
        if options.only and case.id not in options.only:
            continue
        if not options.only and options.part not in (case.part, "all"):
            continue
        outcome = outcome_of(case)
        print(row_of(case, outcome), flush=True)
        totals.setdefault(case.part, Counter()).update(counted(outcome))
    for part, total in totals.items():
        print(f"{part}: " + ", ".join(f"{count} {what}" for what, count in total.items()))


def outcome_of(case: Case) -> Outcome:
    """Judge the program with the mistake, as `handgrad check` does."""
    start = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{case.id.replace('-', '_')}.py"
        path.write_text(case.wrong_text(), encoding="utf-8")
        try:
            with at_most(SECONDS):
                reports = check_file(path)
        except TooLong:
            return Outcome(error="it took too long", seconds=SECONDS)
    return outcome_in(case, reports)._replace(seconds=time.process_time() - start)


class TooLong(KeyboardInterrupt):
    """A case took longer than it may: no Exception, which would be taken for the user's."""


@contextmanager
def at_most(seconds: int) -> Iterator[None]:
    """Raise TooLong where what is within computes longer; a busy machine costs a case nothing."""

    def stop(*_: Any) -> None:
        raise TooLong

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def outcome_in(case: Case, reports: list[Report]) -> Outcome:
    """Return what the reports say of a Case: the first with something that fails counts."""
    report = next((r for r in reports if r.verdict == "mismatch"), reports[0])
    finding = next((f for f in report.findings if f.verdict in FAILED), None)
    if finding is None:
        return Outcome(error=report.error or "")
    return Outcome(
        found=True,
        placed=base_of(finding.name) in case.wrong or is_edited(case, finding),
        explained=is_true(case, finding),
        fixed=finding.fix is not None and is_same(finding.fix.new, case.right),
        finding=finding,
        error=report.error or "",
    )


def is_true(case: Case, finding: Finding) -> bool:
    """Say whether a cause is given, and has one of the words that a true one has."""
    if finding.cause is None or finding.cause.kind in ONLY_WHERE:
        return False
    said = finding.cause.message.lower()
    return any(re.search(rf"(?<!\w){re.escape(key)}(e?s)?(?!\w)", said) for key in case.keys)


def base_of(name: str) -> str:
    """Return a quantity's name without the line that tells it from others of that name."""
    return name.split(" (line")[0]


def is_edited(case: Case, finding: Finding) -> bool:
    """Say whether a Finding points to a line of the edit."""
    lines = max(1, len(case.new.strip("\n").splitlines()))
    return finding.line is not None and 0 <= finding.line.number - case.number < lines


def is_same(new: str, right: str) -> bool:
    """Say whether two pieces of code are one but for white space."""
    try:
        return ast.dump(ast.parse(new.strip())) == ast.dump(ast.parse(right.strip()))
    except SyntaxError:
        return "".join(new.split()) == "".join(right.split())


def counted(outcome: Outcome) -> dict[str, int]:
    """Return what is added to the totals of a part."""
    cause = outcome.finding.cause if outcome.finding else None
    return {
        "cases": 1,
        "found": outcome.found,
        "placed": outcome.placed,
        "explained": outcome.explained,
        "fixed": outcome.fixed,
        "explained or fixed": outcome.explained or outcome.fixed,
        "unknown without a fix": outcome.found
        and (cause is None or cause.kind in ONLY_WHERE)
        and (outcome.finding is None or outcome.finding.fix is None),
        "errors": bool(outcome.error),
    }


def row_of(case: Case, outcome: Outcome) -> str:
    """Return the row of a Case as text."""
    answers = [
        word if holds else "-"
        for word, holds in (
            ("found", outcome.found),
            ("placed", outcome.placed),
            ("true", outcome.explained),
            ("fixed", outcome.fixed),
        )
    ]
    text = f"{case.id:<32} {' '.join(f'{word:<6}' for word in answers)} {outcome.seconds:4.1f}s"
    finding = outcome.finding
    if finding is None:
        return f"{text} {outcome.error}"
    cause, fix = finding.cause, finding.fix
    text += f" {finding.name}: {cause.kind}: {cause.message}" if cause else f" {finding.name}"
    if fix is None:
        return text
    kind = "forward" if fix.is_forward else "fix"
    return f"{text}\n    {kind}: {fix.new}   [meant: {case.right}]"


if __name__ == "__main__":
    main()
