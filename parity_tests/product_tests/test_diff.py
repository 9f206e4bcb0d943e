"""Two records against each other: the same computation is a match, another one is none."""

import resource
import sys

import numpy as np
import pytest
import torch

from handgrad.errors import InputError
from handgrad.load import gallery
from handgrad.record.diff import compare_records, compare_runs
from handgrad.record.take import Record, Run, take
from handgrad.run.precision import FLOAT32, FLOAT64, to_tf32
from handgrad.run.reference import Substitute, run_reference
from parity_tests.conftest import slow_but
from parity_tests.product_tests.recorded import (
    NAME,
    SMALL,
    STEPS,
    changed,
    of_dtypes,
    record_of,
    short_trainings,
)


@pytest.fixture(scope="module", autouse=True)
def short():
    """Train for few steps: how two records are compared is the same."""
    with short_trainings():
        yield


@pytest.fixture(scope="module")
def recorded():
    """Give a small record of two dtypes."""
    return record_of("float64", "float32", sizes=SMALL)


@pytest.fixture(scope="module")
def whole():
    """Give a record of one variant at the notebook's size in every dtype."""
    return record_of("float64", "float32", "tf32", "bfloat16")


def verdicts_of(found):
    return [(report.dtype, report.ok) for report in found.reports]


def test_a_record_against_itself_has_no_difference(name):
    record = record_of("bfloat16", name=name)
    found = compare_records(record, record)
    assert verdicts_of(found) == [("bfloat16", True)]
    assert found.environments == found.alone == []
    assert {f.difference for report in found.reports for f in report.findings} == {0.0}


@pytest.mark.parametrize("name", slow_but(gallery.GALLERY, NAME, "layer_norm"))
def test_float32_against_float64_is_judged_by_float32s_noise(name):
    (report,) = compare_records(*(record_of(d, name=name) for d in ("float32", "float64"))).reports
    assert [f for f in report.findings if f.verdict != "match"] == []
    assert "a difference of precision" in report.notes[0]
    assert max(finding.tolerance / FLOAT32.safety for finding in report.findings) > 1e-8


def test_the_order_of_two_records_makes_no_difference():
    first, second = record_of("float32"), record_of("float64")
    ratios = [
        {finding.name: finding.ratio for finding in compare_records(*pair).reports[0].findings}
        for pair in ((first, second), (second, first))
    ]
    assert ratios[0] == pytest.approx(ratios[1], rel=1e-3)


def test_each_dtype_is_paired_with_its_own(whole):
    found = compare_records(whole, of_dtypes(whole, "tf32", "float32"))
    assert verdicts_of(found) == [("float32", True), ("tf32", True)]
    assert found.alone == [
        f"Only the first record has {NAME} in float64.",
        f"Only the first record has {NAME} in bfloat16.",
    ]


def test_tf32_is_a_difference_of_precision():
    found = compare_records(record_of("float32"), record_of("tf32"))
    assert verdicts_of(found) == [("float32 / tf32", True)]
    assert found.environments[0] == ("tf32 (float32 / tf32)", "off", "imitated")
    assert "a difference of precision" in found.reports[0].notes[0]


@pytest.mark.parametrize("name", slow_but(gallery.GALLERY, NAME, "layer_norm"))
def test_tf32_is_more_than_the_rounding_of_float32(name):
    first, second = (record_of(dtype, name=name) for dtype in ("float32", "tf32"))
    (report,) = compare_records(first, second, FLOAT32).reports
    assert not report.ok
    (cause,) = {f.cause for f in report.findings if f.cause}
    assert cause.kind == "precision"
    assert "as if one of them had computed in tf32" in cause.message


def test_tf32_that_nobody_spoke_of_is_named(whole):
    """One machine has it on although its record says float32, by an override, say."""
    honest, other = (of_dtypes(whole, dtype) for dtype in ("float32", "tf32"))
    other = other._replace(runs=[other.runs[0]._replace(dtype="float32")])
    (report,) = compare_records(honest, other).reports
    assert report.first == "h1"
    assert "by no more than that of tf32" in report.findings[6].cause.message


def test_rounding_that_carries_an_entry_across_a_kink_is_no_mismatch():
    """The gradients then differ by far more than rounding, and both are right."""
    sizes = {"n": 4, "d_in": 2, "h": 1, "d_out": 1}
    network = gallery.load("two_layer_relu", sizes=sizes)
    network.params["w1"][:] = [[0.1], [0.3]]
    network.x[0] = [3.0, -1.0]  # h[0] is 5.6e-17, or 0 if 0.1 * 3 is not rounded
    runs = []
    for h in (1e-17, -1e-17):

        def move(name, tensor, h=h):
            return torch.cat([torch.tensor([[h]]), tensor[1:]]) if name == "h" else tensor

        trace = run_reference(network, FLOAT64, substitute=Substitute(move=move)).quantities
        trace = {key: array for key, array in trace.items() if key != "grad_x"}
        trace["h"][0] = h
        data = network.x, network.y, trace, np.ones(STEPS)
        runs.append(Run("two_layer_relu", "float64", 0, sizes, {"tf32": "off"}, *data))
    for first, second in (runs, runs[::-1]):
        found = compare_runs(first, second)
        tolerance = {finding.name: finding.tolerance for finding in found.findings}
        apart = np.abs(first.trace["grad_w1"] - second.trace["grad_w1"]).max()
        assert apart > 1e6 * tolerance["grad_w1"]
        assert [f for f in found.findings if f.verdict != "match"] == []


@pytest.mark.parametrize("name", ["grad_w2", "h1", "loss"])
def test_a_mistake_in_one_run_is_told_of_that_run(whole, name):
    honest = of_dtypes(whole, "float64")
    run = honest.runs[0]
    wrong = run._replace(trace={**run.trace, name: -run.trace[name]})
    (report,) = compare_records(honest, honest._replace(runs=[wrong])).reports
    assert report.first == name
    assert report.notes == [
        f"In the second record: `{name}` has the wrong sign: it is the negative of what is meant."
    ]


@pytest.mark.parametrize("factor", [1 + 1e-9, 1.01, 1.3])
def test_a_small_mistake_in_one_step_is_no_difference_of_precision(whole, factor):
    honest = of_dtypes(whole, "float64")
    run = honest.runs[0]
    wrong = run._replace(trace={**run.trace, "grad_w2": factor * run.trace["grad_w2"]})
    (report,) = compare_records(honest, honest._replace(runs=[wrong])).reports
    assert report.first == "grad_w2"
    assert [finding.cause for finding in report.findings if finding.cause] == []
    assert report.notes == [
        f"In the second record: `grad_w2` is {factor:.10g} times what is meant, in each entry."
    ]


@pytest.mark.parametrize("name", ["grad_w1", "losses"])
def test_nan_in_both_is_no_match_where_nothing_overflows(whole, name):
    honest = of_dtypes(whole, "float64")
    run = honest.runs[0]
    broken = np.full_like(run.losses if name == "losses" else run.trace[name], np.nan)
    changes = {"losses": broken} if name == "losses" else {"trace": {**run.trace, name: broken}}
    broken = honest._replace(runs=[run._replace(**changes)])
    assert compare_records(broken, broken).reports[0].first == name


def test_losses_that_overflow_in_float32_alone_are_no_mismatch():
    sizes = {"n": 200}
    first, second = (
        record_of(dtype, name="two_layer_relu", sizes=sizes) for dtype in ("float64", "float32")
    )
    (report,) = compare_records(first, second).reports
    assert np.isinf(second.runs[0].losses).any()
    assert np.isfinite(first.runs[0].losses[np.isinf(second.runs[0].losses)]).any()
    assert report.ok
    assert report.drift.overflows
    assert np.isfinite(report.drift.largest)


def test_another_training_is_told_from_another_pass(whole):
    honest = of_dtypes(whole, "float64")
    run = honest.runs[0]
    slower = run._replace(losses=run.losses * (1 + 1e-6))
    (report,) = compare_records(honest, honest._replace(runs=[slower])).reports
    assert report.first == "losses"
    assert report.notes == ["One pass agrees, the training does not: it was not done alike."]


def test_environments_that_differ_are_told(recorded):
    there = {**recorded.environment, "torch": "2.6.0", "cuda": "NVIDIA H200"}
    found = compare_records(recorded, Record("cuda", there, recorded.runs))
    here = recorded.environment
    assert found.environments == [
        ("device", "cpu", "cuda"),
        ("torch", here["torch"], "2.6.0"),
        ("cuda", None, "NVIDIA H200"),
    ]


def other_weight(record):
    trace = {**record.runs[0].trace}
    trace["w1"] = np.nextafter(trace["w1"], 9)
    return record._replace(runs=[record.runs[0]._replace(trace=trace)])


def fewer(record):
    return [{k: v for k, v in run.trace.items() if k != "grad_h1"} for run in record.runs]


OTHERS = {
    "seed": (lambda r: changed(r, seed=7), "has seed 0 in the first record and 7 in the second"),
    "weights": (other_weight, "`w1` of .* has other numbers"),
    "data": (lambda r: changed(r, x=r.runs[0].x + 1), "`x` of .* has other numbers"),
    "rows": (lambda r: changed(r, y=r.runs[0].y[:3]), "do not fit together"),
    "sizes": (lambda r: changed(r, sizes={**SMALL, "h1": 5}), "do not fit together"),
    "number of rows": (lambda r: changed(r, sizes={**SMALL, "n": 5}), "do not fit together"),
    "wider data": (lambda r: changed(r, x=np.ones((6, 5))), "do not fit together"),
    "flat targets": (lambda r: changed(r, y=r.runs[0].y[:, 0]), "do not fit together"),
    "whole targets": (lambda r: changed(r, y=np.ones((6, 2), int)), "do not fit together"),
    "several inputs": (lambda r: changed(r, x=(r.runs[0].x,) * 2), "do not fit together"),
    "no weight": (lambda r: changed(r, trace={"h1": r.runs[0].x}), "do not fit together"),
    "size": (
        lambda _: record_of("float64", sizes={**SMALL, "h1": 5}),
        r"`w1` of .* is \(3, 4\) .* \(3, 5\)",
    ),
    "quantities": (lambda r: changed(r, trace=fewer(r)[0]), "has other quantities"),
    "steps": (lambda r: changed(r, losses=r.runs[0].losses[:9]), "has 9 losses"),
    "variants": (lambda r: changed(r, variant="two_layer_relu"), "share no network: .* has three"),
    "nothing": (lambda r: r._replace(runs=[]), "the second none"),
}


@pytest.mark.parametrize(("change", "words"), OTHERS.values(), ids=OTHERS)
def test_a_run_of_something_else_is_one_sentence(recorded, change, words):
    with pytest.raises(InputError, match=words) as caught:
        compare_records(recorded, change(of_dtypes(recorded, "float64")))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["n", "d_in", "h1"])
def test_gigantic_sizes_cost_no_memory(recorded, name):
    record = of_dtypes(recorded, "float64")
    before = most_memory()
    for size in (2**26, 2**31 - 1):
        with pytest.raises(InputError, match="do not fit together"):
            compare_records(changed(record, sizes={**SMALL, name: size}), record)
    assert most_memory() - before < 2**27


def most_memory():
    """Return the most memory that this process ever had, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def test_a_label_that_is_no_class_is_one_sentence():
    record = record_of("float64", name="softmax_cross_entropy")
    for label, words in ((4, "do not fit together"), (-100, "IndexError")):
        y = record.runs[0].y.copy()
        y[0] = label
        other = changed(record, y=y)
        with pytest.raises(InputError, match=words) as caught:
            compare_records(other, other)
        assert "\n" not in str(caught.value)


def test_imitated_tf32_is_what_the_record_has():
    run = take("two_layer_relu", "cpu", "tf32")
    x, w1 = torch.from_numpy(run.x), torch.from_numpy(run.trace["w1"])
    assert np.array_equal(run.trace["h"], (to_tf32(x) @ to_tf32(w1)).numpy())
    assert run.settings == {"tf32": "imitated", "deterministic": "on"}
