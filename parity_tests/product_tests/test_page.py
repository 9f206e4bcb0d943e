"""The HTML reports, as files and in a real browser."""

import re
from dataclasses import replace

import numpy as np
import pytest

from handgrad.compare.judge import judge
from handgrad.findings import Finding
from handgrad.load import gallery
from handgrad.load.gallery import GALLERY, manual_side
from handgrad.record.diff import compare_records
from handgrad.record.environment import environment
from handgrad.record.files import write
from handgrad.record.take import Record
from handgrad.run.hand_written import run_hand_written
from handgrad.run.precision import FLOAT32, FLOAT64
from handgrad.show.curves import drift_chart, losses_chart
from handgrad.show.heat import heat, heat_of
from handgrad.show.html import write_diff
from handgrad.train.drift import Drift
from parity_tests.product_tests.conftest import serious
from parity_tests.product_tests.recorded import run_of, short_trainings

TITLES = ("here.safetensors", "there.safetensors")
SECRET = "<script>alert(1)</script>"
NETWORKS = list(GALLERY)[:4]  # those of the notebook


@pytest.fixture(scope="module", autouse=True)
def few_steps():
    """Train for few steps, as the records here do."""
    with short_trainings():
        yield


@pytest.fixture(scope="module")
def records(few_steps):
    """Give two records of all variants, in float32 and in TF32."""
    found = []
    for dtype, system in (("float32", "Linux"), ("tf32", SECRET)):
        about = {**environment("cpu"), "system": system}
        found.append(Record("cpu", about, [run_of(name, dtype, 0) for name in NETWORKS]))
    return found


@pytest.fixture(scope="module")
def report(records, tmp_path_factory):
    """Give a report in which all match."""
    path = tmp_path_factory.mktemp("match") / "diff.html"
    write_diff(path, TITLES, compare_records(records[0], records[1]))
    return path


@pytest.fixture(scope="module")
def mismatch(records, tmp_path_factory):
    """Give a report in which all differ by more than rounding."""
    path = tmp_path_factory.mktemp("mismatch") / "diff.html"
    write_diff(path, TITLES, compare_records(records[0], records[1], FLOAT32))
    return path


def test_diff_writes_a_report(records, handgrad, tmp_path):
    one = records[0]._replace(runs=records[0].runs[:1])
    write(tmp_path / "one.safetensors", one)
    path = tmp_path / "diff.html"
    arguments = ("diff", tmp_path / "one.safetensors", tmp_path / "one.safetensors")
    code, out, err = handgrad(*arguments, "--html", path)
    assert (code, err) == (0, f"The report is in {path}.\n")
    assert "All numbers are the same in both." in out
    assert "All match: 12 quantities of 1 variant" in path.read_text()


def test_a_report_stands_alone_and_says_all(report):
    page = report.read_text()
    assert not re.search(r"(src|href)=\"(?!#|data:)", page)
    assert "<script" not in page  # nor what the record smuggled in
    assert "&lt;script&gt;" in page
    assert "All match: 78 quantities of 4 variants" in page
    assert page.count("<details") == 4
    for name in ("grad_w1", "h2_sigm", "losses"):
        assert f"<code>{name}</code>" in page
    assert page.count('class="heat"') == 78 - 4  # the losses have curves instead
    assert page.count('role="img"') == page.count("<svg") == page.count('aria-label="') - 5
    assert len(page) < 2_000_000


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_a_report_opens_in_a_browser(report, mismatch, visit, width, scheme):
    for path, words in ((report, "All match"), (mismatch, "4 of 4 comparisons do not match")):
        page, trouble = visit(path, width, scheme)
        assert trouble == []
        assert words in page.locator("#verdict").inner_text()
        assert page.evaluate("document.documentElement.scrollWidth") == width
        page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert serious(page) == []


@pytest.mark.slow
def test_a_report_needs_no_script_and_no_mouse(mismatch, report, visit):
    page, trouble = visit(report, scripts=False)
    assert trouble == []
    assert page.locator("#verdict").is_visible()
    page, _ = visit(report)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.locator("#run4").is_hidden()
    page.locator("a[href='#run4']").focus()
    page.keyboard.press("Enter")
    assert page.locator("#run4").is_visible()


def test_the_cause_stands_at_the_top(mismatch):
    banner = mismatch.read_text().split("<h2")[0]
    assert "as if one of them had computed in tf32" in banner


@pytest.mark.slow
def test_a_check_has_a_report_as_well(handgrad, monkeypatch, tmp_path, visit):
    network = manual_side("three_layer_relu")

    def backward(params, x, y, values, right=network.backward):
        grads = right(params, x, y, values)
        return {**grads, "grad_w2": -grads["grad_w2"]}

    monkeypatch.setattr(network, "backward", backward)
    path = tmp_path / "check.html"
    assert handgrad("check", "three_layer_relu", "--repeat", "2", "--html", path)[0] == 1
    page, trouble = visit(path)
    row = page.get_by_role("row").filter(has_text="sign: `grad_w2` has the wrong sign")
    assert "gradient" in row.first.inner_text()
    assert trouble == []
    code, _, err = handgrad("check", "three_layer_relu", "--html", path)
    assert code == 2
    assert "is there already" in err
    assert handgrad("check", "two_layer_relu", "--html", path, "--force")[0] == 0
    assert "two_layer_relu" in path.read_text()


def test_a_file_of_ones_own_has_a_report(handgrad, tmp_path):
    mine, path = tmp_path / "mine.py", tmp_path / "mine.html"
    handgrad("new", mine)
    assert handgrad(mine, "--html", path)[0] == 0
    page = path.read_text()
    assert "grad_h1_tanh" in page
    assert page.count('class="heat"') == 15


def test_heat_shows_the_worst_entry_and_its_level():
    actual = np.zeros((64, 20))
    expected = actual.copy()
    expected[37, 11], expected[0, 0] = 0.5, 0.002
    found = heat(actual, expected, 1.0)
    assert (found.rows, found.columns) == (16, 10)
    assert found.block == (4, 2)
    assert found.entry == (37, 11)
    assert found.worst == (9, 5)
    assert found.paths[4] == "M5 9h1v1h-1z"
    assert found.paths[2] == "M0 0h1v1h-1z"
    assert found.paths[0].startswith("M1 0h9v1h-9zM0 1h10v1h-10z")
    assert heat(actual, expected, 0.4).paths[5] == "M5 9h1v1h-1z"
    assert heat(actual, expected, 0.0).paths.keys() == {0, 5}


def test_the_map_of_a_mistake_is_drawn_entry_by_entry():
    """A large entry is allowed more than a small one, and only the small one is off by more."""
    actual, expected = np.array([1001.0, 1.5]), np.array([1000.0, 1.0])
    found = Finding("g", "gradient", (2,), 0.5, 0.1, 5.0, 0.0, "wrong")
    found = replace(found, actual=actual, expected=expected)
    own = heat_of(replace(found, allowed=np.array([100.0, 0.1])))
    assert own.paths == {2: "M0 0h1v1h-1z", 5: "M1 0h1v1h-1z"}
    assert own.entry == (1,)
    match = replace(found, verdict="match", tolerance=0.6, ratio=0.83)
    assert heat_of(match).paths == {4: "M0 0h2v1h-2z"}  # nothing is beyond what it is allowed


def test_the_judge_keeps_the_tolerance_of_each_entry_of_a_mistake():
    network = gallery.load("two_layer_relu")
    actual = run_hand_written(network)
    wrong = {**actual, "grad_w1": -actual["grad_w1"]}
    found = {f.name: f for f in judge(network, wrong, FLOAT64)[0]}
    assert found["grad_w1"].allowed.shape == actual["grad_w1"].shape
    assert np.ptp(found["grad_w1"].allowed) > 0
    assert found["grad_w2"].allowed is None


def test_heat_of_numbers_vectors_and_what_has_none():
    assert heat(1.0, 1.0, 0.0).paths == {0: "M0 0h1v1h-1z"}
    assert heat(np.ones((9, 1)), np.ones((9, 1)), 1.0).rows == 1
    assert heat(np.ones(3), np.ones(4), 1.0) is None
    assert heat(np.ones((0, 3)), np.ones((0, 3)), 1.0) is None
    assert heat(np.array([np.inf, np.nan]), np.array([1.0, np.nan]), 1.0).paths.keys() == {0, 5}


def test_curves_leave_gaps_where_a_log_axis_has_no_place():
    losses = np.array([10.0, 1.0, np.inf, 1.0, 1.0])
    drift = Drift(losses, losses, np.array([0, 0.1, 0, 0, 1.0]), np.array([1, 1, np.inf, 1, 1.0]))
    chart = losses_chart(drift)
    assert chart.paths["first"] == "M0 0L150 180M450 180L600 180"
    assert chart.ticks_y == [(180.0, "1e0"), (0.0, "1e1")]
    chart = drift_chart(drift)
    assert chart.paths["difference"] == "M150 180h0M600 0h0"
    assert chart.paths["band"].startswith("M0 180L0 180L150 0L300 0")
    same = drift._replace(difference=np.zeros(5))
    assert drift_chart(same).paths["difference"] == ""
