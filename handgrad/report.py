"""All findings of one run, for printing, for notebooks, for scripts and for machines."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from handgrad.errors import MismatchError
from handgrad.findings import FAILED, Finding
from handgrad.show.json import run_object
from handgrad.show.jupyter import as_html
from handgrad.show.table import as_text


@dataclass(frozen=True)
class Report:
    """What a comparison found, and where it ran.

    Attributes:
        variant: the name of the network, or of the user's file.
        source: the name or the path that was given.
        verdict: `mismatch` where a quantity is `wrong` or `accumulated`, or differs between two
            runs; `error` where no verdict can be had; else `match`.
        device, dtype: where and in what the reference ran. The derivation itself is judged in
            float64 where the hand-written side can be run again.
        reference: what said what a step should give: a PyTorch `module`, a `function` under
            autograd, `differences` of the loss where there is none, or another `run`.
        findings: one for each quantity, in the order of computing. An `error` has some as well
            where what was compared is `inconclusive`, and none where nothing could be compared.
        loss: the hand-written one, None where there is none.
        notes: sentences on how the comparison was made and what it says as a whole.
        settings: torch's while it ran.
        drift: that of the training losses, where two records were compared.
        error: why there is no verdict, one sentence; None where there is one.
    """

    variant: str
    source: str
    verdict: Literal["match", "mismatch", "error"]
    device: str = "cpu"
    dtype: str = ""
    reference: Literal["module", "function", "differences", "run"] = "module"
    findings: list[Finding] = field(default_factory=list)
    loss: float | None = None
    notes: list[str] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)
    drift: Any = None
    error: str | None = None

    @property
    def ok(self) -> bool:
        """True where a verdict can be had, and nothing is `wrong`, `accumulated` or a `mismatch`.

        A `subgradient` is right, `scaled` is a convention, and `missing` is not judged.
        """
        return self.verdict == "match"

    @property
    def first(self) -> str | None:
        """The name of the first quantity that fails, or None."""
        return next((f.name for f in self.findings if f.verdict in FAILED), None)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as a dict of what JSON knows: a run of `handgrad check --json`."""
        return run_object(self)

    def raise_for_mismatch(self) -> None:
        """Raise MismatchError, an AssertionError with the report, unless all is `ok`."""
        if not self.ok:
            raise MismatchError(f"\n{self}")

    def __str__(self) -> str:
        """Return the report as plain text: every quantity, and why the wrong ones are wrong."""
        return as_text(self)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return as_html(self)
