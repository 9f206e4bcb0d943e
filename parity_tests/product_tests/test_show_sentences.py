"""What is said of reports, and how often."""

from dataclasses import replace

from handgrad.show.diff import told_apart
from handgrad.show.jupyter import as_html
from handgrad.show.sentences import stopped, verdict_line
from handgrad.show.table import as_text, conclusion, repeat_lines, settings_lines
from parity_tests.product_tests.shown import ERROR, LINE, WRONG, drift, finding, report


def test_a_report_is_summed_up():
    assert verdict_line(report(finding())) == "1 quantity matches, within what rounding allows."
    assert verdict_line(report(finding("a"), finding("b"))) == (
        "All 2 quantities match, each within what rounding allows."
    )
    assert verdict_line(WRONG) == ("Wrong: grad_w. 1 more differs, as what goes into it does.")
    assert verdict_line(report(*WRONG.findings, finding("c", "inherited"))) == (
        "Wrong: grad_w. 2 more differ, as what goes into them does."
    )
    assert verdict_line(report(finding("a", "accumulated"), finding("b", "accumulated"))) == (
        "Accumulated: a, b: every step is within rounding, the whole run is not."
    )
    assert verdict_line(report(*WRONG.findings, finding("c", "accumulated"))) == (
        "Wrong: grad_w. 1 more differs, as what goes into it does. "
        "Accumulated: c: every step is within rounding, the whole run is not."
    )
    assert verdict_line(report(finding("a"), finding("b", "inherited"))) == (
        "1 quantity matches, within what rounding allows. 1 differs, as what goes into it does."
    )
    assert verdict_line(report(finding("a", "mismatch"), finding("b", "missing"))) == (
        "Wrong: a. Missing, so not judged: b."
    )
    assert verdict_line(report(finding("a"), finding("b", "subgradient"))) == (
        "All 2 quantities match, each within what rounding allows. A subgradient is right as "
        "well: at a kink several slopes are, and any will do."
    )
    assert verdict_line(report(finding("a", "missing"))) == (
        "Nothing was judged. Missing, so not judged: a."
    )


def test_a_sentence_has_one_full_stop():
    assert stopped("broken") == stopped("broken.") == "broken."
    assert verdict_line(ERROR) == "Error: broken.py has no `forward`."
    assert verdict_line(replace(ERROR, error="It broke")) == "Error: It broke."


def test_many_reports_are_summed_up():
    one = report(finding("a"), finding("b", "missing"))
    assert conclusion([one]) == (
        "All match: 1 quantity of 1 variant in 1 comparison, each within what rounding allows."
    )
    assert conclusion([one, replace(one, variant="other")]) == (
        "All match: 2 quantities of 2 variants in 2 comparisons, each within what rounding allows."
    )
    assert conclusion([one, WRONG, ERROR]) == (
        "1 of 2 comparisons does not match: net (cpu, float64) differs first in grad_w. "
        "1 could not be judged."
    )
    assert conclusion([ERROR, ERROR]) == "2 could not be judged."


def test_settings_are_said_where_they_matter():
    settings = {"tf32": "off", "deterministic": "on"}
    assert settings_lines([replace(WRONG, settings=settings), ERROR]) == []
    on_gpu = replace(WRONG, settings=settings, device="cuda")
    assert settings_lines([on_gpu, on_gpu]) == [
        "Settings on cuda in float64: tf32 off, deterministic on."
    ]


def test_repeated_runs_say_what_varies():
    steady, varying = report(finding("a", distinct=1)), report(finding("a", distinct=3))
    assert repeat_lines([WRONG]) == []
    assert repeat_lines([steady]) == ["Every repeated run gave the same bits."]
    assert repeat_lines([steady, varying]) == [
        "net (cpu, float64) varies from run to run: different results 3 of a."
    ]


def test_a_cause_of_many_runs_is_told_once():
    other = replace(WRONG, dtype="float32", drift=drift())
    assert told_apart([replace(WRONG, drift=drift()), other])[0].dtype == "float64"
    assert len(told_apart([WRONG, other])) == 1


def test_a_wrong_step_without_a_cause_has_its_line():
    bare = report(finding("grad_w", "wrong", line=LINE), finding("grad_b", "inherited", line=LINE))
    assert as_text(bare).count(str(LINE)) == 1
    assert as_html(bare).count("<code>") == 1
