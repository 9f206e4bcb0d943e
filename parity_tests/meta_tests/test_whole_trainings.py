"""Whole trainings: the two sides, and two records, drift apart by no more than rounding."""

from functools import cache

import pytest

from handgrad.load import gallery
from handgrad.record.diff import compare_runs
from handgrad.record.take import take
from handgrad.train.drift import apart, train_hand_written

# Each network is trained once in each precision, and what rounding allows, which takes seven more
# trainings, is measured once for both: two records, and a record and the hand-written side.
taken = cache(take)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("dtype", ["float64", "float32", "tf32", "bfloat16"])
def test_whole_trainings_drift_apart_by_no_more_than_rounding(name, dtype, seed):
    first, second = (taken(name, "cpu", each, seed) for each in ("float64", dtype))
    report = compare_runs(first, second)
    assert [f for f in report.findings if f.verdict != "match"] == []
    rates = gallery.learning_rates(name)
    assert report.drift.actual.shape == report.drift.tolerance.shape == (len(rates),)
    _, by_hand = train_hand_written(gallery.load(name, dtype, seed), rates)
    assert by_hand[-1] < by_hand[0]
    assert (apart(by_hand, second.losses) <= report.drift.tolerance).all()
