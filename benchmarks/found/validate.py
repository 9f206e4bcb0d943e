"""Are the cases cases? `python -m benchmarks.found.validate`.

Every right program is judged all green, and every edit changes what the program gives by more than
a millionth. No wrong program is judged here, so the part that is set aside stays unseen.
"""

import runpy
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.found.case import PROGRAMS
from benchmarks.found.table import CASES
from handgrad.pipeline import check_file

LEAST = 1e-6


def main() -> None:
    """Print what is no case, and the right programs that are not green."""
    errors = [error for case in CASES if (error := error_of(case))]
    errors += [error for path in sorted(PROGRAMS.glob("*.py")) for error in not_green(path)]
    print(*errors, sep="\n")
    print(f"{len(CASES)} cases, {len(errors)} errors")
    sys.exit(bool(errors))


def error_of(case) -> str | None:
    """Return why a Case is none, or None."""
    try:
        with np.errstate(all="ignore"):
            right, wrong = results_of(case.right_text()), results_of(case.wrong_text())
    except Exception as error:
        return f"{case.id}: {type(error).__name__}: {error}"
    if changed(right, wrong):
        return None
    return f"{case.id}: the edit changes no number"


def results_of(text: str) -> list[Any]:
    """Run a program; return the arrays that both passes give, or that a script leaves."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "program.py"
        path.write_text(text, encoding="utf-8")
        found = runpy.run_path(str(path))
    if "forward" not in found:
        return [array for name in sorted(found) for array in arrays_in(found[name])]
    params, x, y = found["init"](np.random.default_rng(5))
    given = found["forward"](params, x, y)
    if "backward" not in found:
        return list(arrays_in(given))
    values = given[1] if isinstance(given, tuple) else given
    return [*arrays_in(given), *arrays_in(found["backward"](params, x, y, values))]


def arrays_in(value: Any) -> Iterator[Any]:
    """Yield the arrays of numbers in dicts, lists and tuples."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for part in value:
            yield from arrays_in(part)
    elif (
        isinstance(value, np.ndarray | np.floating | float) and np.asarray(value).dtype.kind == "f"
    ):
        yield np.asarray(value)


def changed(right: list[Any], wrong: list[Any]) -> bool:
    """Say whether two runs differ, in a shape or in numbers."""
    if [array.shape for array in right] != [array.shape for array in wrong]:
        return True
    return any(
        not np.abs(b - a).max(initial=0) <= LEAST * np.abs(a).max(initial=0)
        for a, b in zip(right, wrong, strict=True)
    )


def not_green(path: Path) -> Iterator[str]:
    """Yield what Handgrad finds in a right program."""
    for report in check_file(path):
        bad = [f.name for f in report.findings if f.verdict not in ("match", "yours")]
        if bad or not report.ok:
            yield f"{path.name}: {report.verdict} {report.error or ''} {', '.join(bad)}"


if __name__ == "__main__":
    main()
