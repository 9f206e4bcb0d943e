"""The words in which a cause speaks of places in an array and of modules."""

from torch import nn

LISTED = 5  # so many numbers can be read at a glance: of more, the first stand for all
FIRST = 3
DIGITS = (6, 9, 12, 15, 17)


def place(off):
    """Say in words in which rows and columns of a 2-d array the True entries lie."""
    if off.all():
        return "everywhere"
    counted = f"in {off.sum()} of {off.size} entries"
    if off.ndim != 2:
        return counted
    rows, columns = off.any(axis=1).nonzero()[0], off.any(axis=0).nonzero()[0]
    words = [
        f"in {what}{'s' * (len(found) > 1)} {listed(found)}"
        for what, found, count in (
            ("row", rows, off.shape[0]),
            ("column", columns, off.shape[1]),
        )
        if len(found) < count
    ]
    return " and ".join(words) or counted


def listed(numbers):
    """Write a few numbers, or the first of them and how many there are."""
    if len(numbers) <= LISTED:
        return ", ".join(map(str, numbers))
    return f"{', '.join(map(str, numbers[:FIRST]))}, … ({len(numbers)} of them)"


def described(module):
    """Name a step by its module, such as "the ReLU"."""
    if module is None or isinstance(module, nn.Identity):
        return "the step"
    return f"the {type(module).__name__}"


def entry(index):
    """Write where an entry lies: its index, such as [3, 0]."""
    return f"[{', '.join(str(int(i)) for i in index)}]"


def two(actual, expected):
    """Write two numbers with as many digits as it takes to tell them apart."""
    for digits in DIGITS:
        texts = f"{actual:.{digits}g}", f"{expected:.{digits}g}"
        if texts[0] != texts[1]:
            break
    return texts
