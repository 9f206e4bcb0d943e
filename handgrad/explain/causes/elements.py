"""A few entries that are off."""

from handgrad.compare.second_look import differing
from handgrad.explain.thresholds import ENTRIES_FOR_EXCEPTIONS, ONE_IN
from handgrad.explain.wording import entry, place, two
from handgrad.findings import Cause

KIND = "elements"
LOOKS_LIKE = "a few entries only"
EXAMPLES = [
    (
        "two_layer_relu",
        '"grad_w1": grad_w1',
        '"grad_w1": grad_w1 + 0.1 * np.eye(*grad_w1.shape, k=3) * (x[0, 0] != 0)',
        {"grad_w1": "elements"},
    ),
]


def find(case):
    """Explain a few entries that are off where all others are right."""
    off = differing(case.steps, case.name)
    if off.size < ENTRIES_FOR_EXCEPTIONS or off.sum() > max(1, off.size // ONE_IN):
        return None
    index = tuple(axis[0] for axis in off.nonzero())
    count, verb = ("one", "differs") if off.sum() == 1 else (f"{off.sum()}", "differ")
    where = f", {place(off)}" * (off.ndim == 2)
    actual, expected = two(case.actual[index], case.expected[index])
    return Cause(
        KIND,
        f"Just {count} of the {off.size} entries of `{case.name}` {verb}{where}: "
        f"{entry(index)} is {actual} where {expected} is meant.",
    )
