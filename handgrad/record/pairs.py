"""Which Run of one Record goes with which of another, and what differs around them."""

from handgrad.errors import InputError
from handgrad.load import gallery
from handgrad.run.precision import PRECISIONS


def environments(first, second, found):
    """Return what differs: first the settings of paired Runs, which explain most."""
    rows = {}
    for one, other in found:
        where = " / ".join(dict.fromkeys((one.dtype, other.dtype)))
        for name, value in one.settings.items():
            if value != other.settings.get(name):
                rows[f"{name} ({where})"] = (value, other.settings.get(name))
    sides = [{"device": record.device, **record.environment} for record in (first, second)]
    for name in dict.fromkeys([*sides[0], *sides[1]]):
        if sides[0].get(name) != sides[1].get(name):
            rows[name] = (sides[0].get(name), sides[1].get(name))
    return [(name, *values) for name, values in rows.items()]


def pairs(first, second):
    """Pair the Runs of two Records by network and dtype, and return the pairs.

    Where they share no dtype of a network, the widest of each are paired. Raises InputError
    where they share no network.
    """
    found = []
    for name in gallery.GALLERY:
        one, other = by_dtype(first, name), by_dtype(second, name)
        shared = [dtype for dtype in one if dtype in other]
        if shared:
            found += [(one[dtype], other[dtype]) for dtype in shared]
        elif one and other:
            found.append((next(iter(one.values())), next(iter(other.values()))))
    if not found:
        raise InputError(
            "The two records share no network: the first has "
            f"{names(first)}, the second {names(second)}; record the same ones."
        )
    return found


def by_dtype(record, name):
    """Return the Runs of one network in a Record by their dtypes, the widest first."""
    runs = {run.dtype: run for run in record.runs if run.variant == name}
    return {dtype: runs[dtype] for dtype in PRECISIONS if dtype in runs}


def names(record):
    """Return the names of a Record's networks, for a message."""
    return ", ".join(dict.fromkeys(run.variant for run in record.runs)) or "none"
