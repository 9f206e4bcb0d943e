"""Records to test with."""

from functools import cache

from handgrad.record.environment import environment
from handgrad.record.take import Record, take

NAME = "three_layer_relu_bias"
SMALL = {"n": 6, "d_in": 3, "h1": 4, "h2": 4, "d_out": 2}


@cache
def run_of(name, dtype, seed):
    """Return a run at the notebook's sizes, made just once."""
    return take(name, "cpu", dtype, seed)


def record_of(*dtypes, name=NAME, seed=0, sizes=None):
    """Return a record of one variant in these dtypes."""
    runs = [
        take(name, "cpu", dtype, seed, sizes) if sizes else run_of(name, dtype, seed)
        for dtype in dtypes
    ]
    return Record("cpu", environment("cpu"), runs)


def of_dtypes(record, *dtypes):
    """Return a record with just its runs in these dtypes."""
    return record._replace(runs=[run for run in record.runs if run.dtype in dtypes])
