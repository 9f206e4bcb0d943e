"""Reports made by hand, and what prints them: for the tests of what is shown."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from handgrad.findings import FAILED, Cause, Finding, Line
from handgrad.report import Report
from handgrad.show.table import console

CAUSE = Cause("sign", "`grad_w` has the wrong sign.")
LINE = Line("mine.py", 12, "grad_w = -x.T @ grad_h[0]")
ENVIRONMENT = {"torch": "2.6", "system": "Linux"}


def finding(name="w", verdict="match", **more):
    """Make a Finding."""
    array = np.arange(6.0).reshape(2, 3)
    ratio = 2e10 if verdict in FAILED else 0.5
    facts: dict[str, Any] = {
        "kind": "value",
        "shape": (2, 3),
        "difference": ratio * 1e-15,
        "tolerance": 1e-15,
        "ratio": ratio,
        "resolution": 2e-14,
        "actual": array,
        "expected": array,
    }
    return Finding(name=name, verdict=verdict, **facts | more)


def report(*findings, **more):
    """Make a Report."""
    bad = "mismatch" if any(f.verdict in FAILED for f in findings) else "match"
    about = {"variant": "net", "source": "net", "dtype": "float64", "verdict": bad} | more
    if "error" in more:
        about["verdict"] = "error"
    return Report(**about, findings=list(findings))


WRONG = report(
    finding("h"),
    finding("grad_w", "wrong", kind="gradient", cause=CAUSE, line=LINE),
    finding("grad_b", "inherited", kind="gradient"),
    notes=["Paired: w = h.weight"],
    loss=1.5,
)
ERROR = report(variant="broken", source="broken.py", dtype="", error="broken.py has no `forward`.")


@pytest.fixture
def printed(capsys, monkeypatch):
    """Give a function that prints in a width: `show` takes a console."""

    def text(width, show):
        monkeypatch.setenv("COLUMNS", str(width))
        show(console())
        lines = capsys.readouterr().out.splitlines()
        assert max(map(len, lines)) <= width
        return "\n".join(line.rstrip() for line in lines)

    return text


def drift(largest=1e-3):
    """Make what a Drift looks like."""
    losses = np.array([2.0, 1.0])
    return SimpleNamespace(
        actual=losses,
        expected=losses,
        difference=losses * largest,
        tolerance=losses,
        scale=losses,
        largest=largest,
        overflows=False,
    )


def difference(*reports, environments=()):
    """Make what a Difference of two records looks like."""
    records = [SimpleNamespace(device="cpu", environment=ENVIRONMENT) for _ in range(2)]
    return SimpleNamespace(
        records=records, reports=list(reports), environments=list(environments), alone=[]
    )
