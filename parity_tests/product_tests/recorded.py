"""Records to test with."""

from functools import cache
from unittest.mock import patch

from handgrad.load import gallery
from handgrad.record.environment import environment
from handgrad.record.take import Record, take

NAME = "three_layer_relu_bias"
SMALL = {"n": 6, "d_in": 3, "h1": 4, "h2": 4, "d_out": 2}
STEPS = 12


def short_trainings():
    """Return a context in which each network trains for few steps, as in the records here."""
    whole = gallery.learning_rates
    return patch.object(gallery, "learning_rates", lambda name: whole(name)[:STEPS])


@cache
def run_of(name, dtype, seed=0, sizes=()):
    """Return a run with a short training, made just once; `sizes` are pairs of those of its own."""
    with short_trainings():
        return take(name, "cpu", dtype, seed, dict(sizes))


def record_of(*dtypes, name=NAME, seed=0, sizes=None):
    """Return a record of one network in these dtypes."""
    sizes = tuple((sizes or {}).items())
    runs = [run_of(name, dtype, seed, sizes) for dtype in dtypes]
    return Record("cpu", environment("cpu"), runs)


def of_dtypes(record, *dtypes):
    """Return a record with just its runs in these dtypes."""
    return record._replace(runs=[run for run in record.runs if run.dtype in dtypes])


def changed(record, **changes):
    """Return a record with some fields of each run changed."""
    return record._replace(runs=[run._replace(**changes) for run in record.runs])
