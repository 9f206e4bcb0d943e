"""Where a quantity is worst: a small map of difference / tolerance."""

from typing import NamedTuple

import numpy as np

MOST = 16  # cells on a side: of a larger array each cell is the worst of a block
BOUNDS = (0.0, 1e-3, 1e-2, 1e-1, 1.0)  # between the levels; the last one is beyond the tolerance


class Heat(NamedTuple):
    """A map of one quantity: for each level the path of its cells, and the worst cell.

    `entry` is the index of the worst entry in the array, `block` the size of what one cell
    stands for.
    """

    rows: int
    columns: int
    paths: dict[int, str]
    worst: tuple[int, int]
    entry: tuple[int, ...]
    block: tuple[int, int]


def heat_of(finding):
    """Return the Heat of a Finding, each entry by its own tolerance where that is known.

    Of a match there is one tolerance, that of the entry which is furthest off for its own. Others
    may be allowed more, and none is beyond what it is allowed.
    """
    if finding.verdict == "match":
        return heat(finding.actual, finding.expected, finding.tolerance, most=1.0)
    allowed = finding.tolerance if finding.allowed is None else finding.allowed
    return heat(finding.actual, finding.expected, allowed)


def heat(actual, expected, tolerance, most=np.inf):
    """Return the Heat of two arrays, None where their shapes differ or they have no entry.

    `tolerance` is that of all entries or of each; no entry is drawn as more than `most` of it.
    """
    actual, expected = np.asarray(actual), np.asarray(expected)
    if actual.shape != expected.shape or not actual.size:
        return None
    ratios = np.minimum(ratios_of(actual, expected, tolerance), most)
    is_vector = max(ratios.shape, default=1) == ratios.size  # a column is drawn as a row as well
    flat = ratios.reshape(1, -1) if is_vector else ratios.reshape(len(ratios), -1)
    block = tuple(-(-size // MOST) for size in flat.shape)
    cells = flat
    for axis, size in enumerate(block):
        starts = np.arange(0, cells.shape[axis], size)
        cells = np.maximum.reduceat(cells, starts, axis=axis)
    levels = np.searchsorted(BOUNDS, cells)
    row, column = np.unravel_index(cells.argmax(), cells.shape)
    return Heat(
        rows=cells.shape[0],
        columns=cells.shape[1],
        paths={int(level): path(levels == level) for level in np.unique(levels)},
        worst=(int(row), int(column)),
        entry=tuple(int(i) for i in np.unravel_index(ratios.argmax(), ratios.shape)),
        block=block,
    )


def ratios_of(actual, expected, tolerance):
    """Return difference / tolerance for each entry: inf where just one side is finite."""
    finite = np.isfinite(actual) & np.isfinite(expected)
    apart = np.where(np.isfinite(actual) == np.isfinite(expected), 0.0, np.inf)
    apart = np.abs(np.subtract(actual, expected, dtype=np.float64, where=finite, out=apart))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = apart / tolerance
    return np.where(apart == 0, 0.0, np.where(np.isnan(ratios), 0.0, ratios))


def path(cells):
    """Return the cells of a mask as a path, neighbours in a row as one piece."""
    pieces = []
    for row, column in np.argwhere(cells & ~np.pad(cells, ((0, 0), (1, 0)))[:, :-1]):
        after = np.flatnonzero(~cells[row, column:])
        width = after[0] if after.size else cells.shape[1] - column
        pieces.append(f"M{column} {row}h{width}v1h-{width}z")
    return "".join(pieces)
