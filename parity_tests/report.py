"""What a comparison found, for printing, for notebooks, for scripts and for machines."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from parity_tests.compare.judge import Finding

WRONG = ("wrong", "mismatch")  # judged step by step, or over the whole run


class MismatchError(AssertionError):
    """A derivation is wrong; the message is the report."""


@dataclass(frozen=True)
class Report:
    """What a comparison found: the findings, in the order of computing, and where it ran.

    `loss` is the hand-written one, None where there is none; `notes` are sentences on how the
    comparison was made and what it says as a whole. `lines` says where in the user's file each
    quantity is computed, where that is known; `arrays` has the hand-written array and the
    reference's that each finding is about. `settings` are torch's while it ran. Where PyTorch
    ran several times, `distinct` counts for each quantity the results that differ in any bit.
    `drift` is that of the training losses, where two records were compared.
    """

    variant: str
    device: str
    dtype: str
    loss: float | None
    findings: list[Finding]
    notes: list[str] = field(default_factory=list)
    lines: dict[str, str] = field(default_factory=dict)
    arrays: dict[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    distinct: dict[str, int] = field(default_factory=dict)
    drift: Any = None

    @property
    def ok(self):
        """True where every quantity that was given is right."""
        return self.first is None

    @property
    def first(self):
        """The name of the first quantity that is wrong, or None."""
        return next((f.name for f in self.findings if f.verdict in WRONG), None)

    @property
    def worst(self):
        """The finding with the largest difference against its tolerance; weights come last."""
        return max(
            self.findings, key=lambda f: (f.verdict in WRONG, f.kind != "parameter", f.ratio)
        )

    def to_dict(self):
        """Return the report as a dict of what JSON knows: a run of `handgrad check --json`."""
        from parity_tests.show.as_json import run_object

        return run_object(self)

    def raise_for_mismatch(self):
        """Raise MismatchError, an AssertionError with the report, where something is wrong."""
        if not self.ok:
            raise MismatchError(f"\n{self}")

    def __str__(self):
        """Return the report as plain text: every quantity, and why the wrong ones are wrong."""
        from parity_tests.show.table import as_text

        return as_text(self)

    __repr__ = __str__

    def _repr_html_(self):
        from parity_tests.show.html import as_html

        return as_html(self)
