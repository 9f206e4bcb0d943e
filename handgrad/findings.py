"""What is found of one quantity: its verdict and, where it is wrong, its line, cause and fix."""

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from numpy.typing import NDArray

Kind = Literal["parameter", "value", "loss", "gradient", "losses"]

Verdict = Literal[
    "yours",  # a value of the user's own forward pass, where that is the reference
    "match",  # rounding can explain the difference
    "wrong",  # this step itself is wrong
    "inherited",  # this step is right, or cannot be judged; what goes into it is wrong
    "accumulated",  # every step is within rounding, the whole run is not
    "subgradient",  # differs only where several slopes are right, and is one of them
    "scaled",  # a count times what is right, which the parameters' gradients take out again
    "missing",  # the user has none
    "inconclusive",  # rounding alone could make any number of it, or every direction has a kink
    "mismatch",  # of two runs, which have no steps to judge: more than rounding apart
]

FAILED: tuple[Verdict, ...] = ("wrong", "accumulated", "mismatch")


class Cause(NamedTuple):
    """What kind of mistake it looks like, and the sentence that a teacher would say."""

    kind: str
    message: str


class Line(NamedTuple):
    """Where a quantity is computed: a file, the number of the line in it, and its code."""

    file: str
    number: int
    code: str

    def __str__(self) -> str:
        """Return the line as editors and linters write it."""
        return f"{self.file}:{self.number}: {self.code}"


class Fix(NamedTuple):
    """The corrected line, verified by running it: where it is, what it was and what it should be.

    `alternatives` are lines that are as good, `verified_on` counts the draws it was run on. With
    `is_forward` it is a line of the user's own forward pass: with it the whole backward pass is
    right, so that may be the one that was meant. What makes the other pass right instead is
    `otherwise`, where that was found too.
    """

    file: str
    number: int
    old: str
    new: str
    alternatives: list[str]
    verified_on: int
    is_forward: bool = False
    otherwise: Any = None  # a Fix


@dataclass(frozen=True)
class Finding:
    """What the comparison found of one quantity.

    Attributes:
        name: the quantity's name, the user's own where that is another one.
        kind: what it is; `losses` are those of a whole training.
        shape: the shape that is expected.
        difference: that of the entry which is furthest off for its tolerance; inf where the
            shapes differ, or where an entry is finite on one side only.
        tolerance: what rounding can explain of it, in that entry; inf where that is beyond the
            dtype's range.
        ratio: difference / tolerance; above 1 it is no rounding.
        resolution: the tolerance of a typical entry, the median, as a share of the largest entry:
            about the smallest change that would be flagged. Tolerances are measured just as far
            as a difference needs it, so it may be more where all is measured.
        verdict: see `Verdict`.
        cause: what kind of mistake a wrong one looks like.
        line: where it is computed, where that is known.
        fix: the corrected line, where one was found.
        distinct: how many results differ in any bit, where the reference ran several times.
        actual, expected: the hand-written array, and the reference's.
        allowed: the tolerance of each entry, of what is no match; None where one is that of all.
    """

    name: str
    kind: Kind
    shape: tuple[int, ...]
    difference: float
    tolerance: float
    ratio: float
    resolution: float
    verdict: Verdict
    cause: Cause | None = None
    line: Line | None = None
    fix: Fix | None = None
    distinct: int | None = None
    actual: NDArray[Any] | None = field(default=None, repr=False, compare=False)
    expected: NDArray[Any] | None = field(default=None, repr=False, compare=False)
    allowed: NDArray[Any] | None = field(default=None, repr=False, compare=False)
