"""What is shown of reports: the same columns and words in every output, and nothing from outside.

The reports are made by hand.
"""

import json
import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from handgrad.findings import FAILED, Cause, Finding, Fix, Line
from handgrad.report import Report
from handgrad.show.columns import COLUMNS, columns_of, number, plain, visible
from handgrad.show.diff import print_diff, told_apart
from handgrad.show.html import write_check, write_diff
from handgrad.show.json import diff_json, to_json
from handgrad.show.jupyter import as_html
from handgrad.show.sentences import stopped, verdict_line
from handgrad.show.table import (
    as_text,
    conclusion,
    console,
    details,
    print_reports,
    repeat_lines,
    settings_lines,
    summary,
)

SEVEN = ["quantity", "kind", "shape", "difference", "tolerance", "ratio", "verdict"]
NASTY = "w[/red]\x1b[31m\u202e:smile:\x85<b>"
SHOWN = "w[/red]\\x1b[31m\\u202e:smile:\\x85<b>"
CAUSE = Cause("sign", "`grad_w` has the wrong sign.")
LINE = Line("mine.py", 12, "grad_w = -x.T @ grad_h[0]")
ENVIRONMENT = {"torch": "2.6", "system": "Linux"}


def finding(name="w", verdict="match", **more):
    """Make a Finding."""
    array = np.arange(6.0).reshape(2, 3)
    ratio = 2e10 if verdict in FAILED else 0.5
    facts: dict[str, Any] = {
        "kind": "value",
        "shape": (2, 3),
        "difference": ratio * 1e-15,
        "tolerance": 1e-15,
        "ratio": ratio,
        "resolution": 2e-14,
        "actual": array,
        "expected": array,
    }
    return Finding(name=name, verdict=verdict, **facts | more)


def report(*findings, **more):
    """Make a Report."""
    bad = "mismatch" if any(f.verdict in FAILED for f in findings) else "match"
    about = {"variant": "net", "source": "net", "dtype": "float64", "verdict": bad} | more
    if "error" in more:
        about["verdict"] = "error"
    return Report(**about, findings=list(findings))


WRONG = report(
    finding("h"),
    finding("grad_w", "wrong", kind="gradient", cause=CAUSE, line=LINE),
    finding("grad_b", "inherited", kind="gradient"),
    notes=["Paired: w = h.weight"],
    loss=1.5,
)
ERROR = report(variant="broken", source="broken.py", dtype="", error="broken.py has no `forward`.")


@pytest.fixture
def printed(capsys, monkeypatch):
    """Give a function that prints in a width: `show` takes a console."""

    def text(width, show):
        monkeypatch.setenv("COLUMNS", str(width))
        show(console())
        lines = capsys.readouterr().out.splitlines()
        assert max(map(len, lines)) <= width
        return "\n".join(line.rstrip() for line in lines)

    return text


def drift(largest=1e-3):
    """Make what a Drift looks like."""
    losses = np.array([2.0, 1.0])
    return SimpleNamespace(
        actual=losses,
        expected=losses,
        difference=losses * largest,
        tolerance=losses,
        scale=losses,
        largest=largest,
        overflows=False,
    )


def difference(*reports, environments=()):
    """Make what a Difference of two records looks like."""
    records = [SimpleNamespace(device="cpu", environment=ENVIRONMENT) for _ in range(2)]
    return SimpleNamespace(
        records=records, reports=list(reports), environments=list(environments), alone=[]
    )


# columns


def test_a_terminal_has_seven_columns():
    assert heading_of(as_text(WRONG)) == SEVEN


@pytest.mark.parametrize("width", [80, 112])
def test_there_are_more_columns_where_there_is_more_to_show(printed, width):
    counted = replace(WRONG, findings=[replace(f, distinct=2) for f in WRONG.findings])
    found = {
        (verbose, one is counted): heading_of(
            printed(width, lambda out, one=one, v=verbose: out.print(details(one, v, width)))
        )
        for verbose in (False, True)
        for one in (WRONG, counted)
    }
    spare = [] if width == 80 else ["kind", "shape"]
    numbers = ["difference", "tolerance", "ratio"]
    assert found == {
        (False, False): SEVEN,
        (False, True): ["quantity", *spare, *numbers, "distinct", "verdict"],
        (True, False): ["quantity", *spare, *numbers, "resolution", "verdict"],
        (True, True): ["quantity", *spare, *numbers, "resolution", "distinct", "verdict"],
    }


def heading_of(text):
    """Return the headings of a printed table that has a title."""
    return text.splitlines()[1].split()


def test_every_output_has_its_columns_of_the_same_declaration(tmp_path):
    page = tmp_path / "check.html"
    write_check(page, [WRONG], ENVIRONMENT)
    for column in columns_of("page", WRONG.findings):
        assert f">{column.heading}</th>" in page.read_text()
    for column in columns_of("notebook", WRONG.findings):
        assert f"<th>{column.heading}</th>" in as_html(WRONG)
    assert [c.heading for c in columns_of("notebook", WRONG.findings)] == SEVEN
    for text in ("grad_w", "gradient", "2 x 3", "2.00e-05", "1.00e-15", "2e+10", "wrong"):
        assert all(text in shown for shown in (as_text(WRONG), as_html(WRONG), page.read_text()))
    assert "2.0e-14" in page.read_text()  # the resolution
    assert set(WRONG.to_dict()["quantities"][0]) == {
        c.name for c in COLUMNS if c.name not in ("ratio", "distinct")
    }


def test_a_number_has_no_shape():
    assert "number" in as_text(report(finding(shape=())))


# plain text


def test_what_cannot_be_seen_is_written_as_its_escape():
    assert visible("a\x1b[31m\x00\x7f\x9b\n") == "a\\x1b[31m\\x00\\x7f\\x9b\\n"
    assert visible("\u202e\u2066\ufeff\ud800") == "\\u202e\\u2066\\ufeff\\ud800"
    assert visible("größe = 'ä' \\ 日本") == "größe = 'ä' \\ 日本"
    assert plain("[/red][1]") == "\\[/red][1]"


def nasty_report():
    """Make a Report with a nasty text wherever text from outside may be."""
    cause, line = Cause("sign", f"{NASTY} is wrong"), Line(NASTY, 1, NASTY)
    return report(
        finding(NASTY, "wrong", cause=cause, line=line, distinct=2),
        variant=NASTY,
        device="cuda",
        notes=[NASTY],
        settings={NASTY: NASTY},
        drift=drift(),
    )


def dangers(text):
    """Return what must not be in a text: control characters but for the line breaks."""
    return [char for char in text if char != "\n" and visible(char) != char]


@pytest.mark.parametrize("width", [80, 112])
def test_a_terminal_shows_text_from_outside_as_it_is(printed, width):
    nasty = nasty_report()
    shows = [
        lambda out: print_reports(out, [nasty], [nasty], verbose=True),
        lambda out: print_diff(
            out, (NASTY, "b"), difference(nasty, environments=[(NASTY, NASTY, None)]), True
        ),
    ]
    for text in (as_text(nasty), *(printed(width, show) for show in shows)):
        assert dangers(text) == []
        assert SHOWN in text
        assert "is wrong" in text


def test_html_shows_text_from_outside_as_it_is(tmp_path):
    nasty, shown = nasty_report(), SHOWN.replace("<b>", "&lt;b&gt;")
    write_check(tmp_path / "check.html", [nasty], {NASTY: NASTY})
    write_diff(tmp_path / "diff.html", (NASTY, "b"), difference(nasty))
    pages = [path.read_text() for path in tmp_path.iterdir()]
    for text in (as_html(nasty), *pages):
        assert dangers(text) == []
        assert shown in text
        assert "<b>" not in text


def test_a_long_name_is_not_cut_off(printed):
    name = "a_name_" * 12
    one = report(finding(name))
    for table in (details(one), summary([one], 80)):
        text = printed(80, lambda out, table=table: out.print(table))
        assert "…" not in text
        assert text.count("_") == name.count("_")


def test_without_colours_where_they_are_forced(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert dangers(as_text(WRONG)) == []


# JSON


def test_json_of_a_check():
    fix = Fix(12, "grad_w = -x", "grad_w = x", ["grad_w = +x"], 20)
    first, second, _ = WRONG.findings
    wrong = replace(
        WRONG,
        findings=[
            replace(first, difference=math.nan, tolerance=math.inf, resolution=-math.inf),
            replace(second, fix=fix, distinct=3),
        ],
        settings={"tf32": "off"},
        source="nets/net.py",
    )
    assert json.loads(to_json([wrong], ENVIRONMENT)) == {
        "version": 2,
        "environment": ENVIRONMENT,
        "runs": [
            {
                "source": "nets/net.py",
                "variant": "net",
                "device": "cpu",
                "dtype": "float64",
                "reference": "module",
                "verdict": "mismatch",
                "error": None,
                "first": "grad_w",
                "settings": {"tf32": "off"},
                "notes": ["Paired: w = h.weight"],
                "quantities": [
                    {
                        "name": "h",
                        "kind": "value",
                        "shape": [2, 3],
                        "verdict": "match",
                        "difference": "nan",
                        "tolerance": "inf",
                        "resolution": "-inf",
                        "line": None,
                        "cause": None,
                        "fix": None,
                    },
                    {
                        "name": "grad_w",
                        "kind": "gradient",
                        "shape": [2, 3],
                        "verdict": "wrong",
                        "difference": 2e-5,
                        "tolerance": 1e-15,
                        "resolution": 2e-14,
                        "distinct": 3,
                        "line": {
                            "file": "mine.py",
                            "number": 12,
                            "code": "grad_w = -x.T @ grad_h[0]",
                        },
                        "cause": {"kind": "sign", "message": "`grad_w` has the wrong sign."},
                        "fix": {
                            "number": 12,
                            "old": "grad_w = -x",
                            "new": "grad_w = x",
                            "alternatives": ["grad_w = +x"],
                            "verified_on": 20,
                        },
                    },
                ],
            }
        ],
    }


def test_json_of_what_could_not_be_judged():
    run = ERROR.to_dict()
    assert (run["verdict"], run["error"]) == ("error", "broken.py has no `forward`.")
    assert (run["first"], run["quantities"]) == (None, [])


def test_json_of_two_records():
    run = report(
        finding("losses", "mismatch", kind="losses"), reference="run", drift=drift(math.inf)
    )
    found = json.loads(diff_json(difference(run)))
    assert found.keys() == {"version", "environments", "alone", "runs"}
    assert found["version"] == 2
    assert found["environments"] == [{"device": "cpu", **ENVIRONMENT}] * 2
    assert (found["runs"][0]["drift"], found["runs"][0]["reference"]) == ("inf", "run")


def test_numbers_that_json_does_not_have_are_strings():
    values = (math.nan, math.inf, -math.inf, 1.5, np.float32(0.5))
    assert [number(value) for value in values] == ["nan", "inf", "-inf", 1.5, 0.5]


# sentences


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


# errors


@pytest.mark.parametrize("width", [80, 112])
def test_what_could_not_be_judged_is_a_line_of_the_table(printed, width):
    text = printed(width, lambda out: print_reports(out, [WRONG, ERROR], [ERROR], verbose=True))
    row = next(line for line in text.splitlines() if line.startswith("broken"))
    assert row.split()[-1] == "error"
    assert "1 could not be judged." in text.replace("\n", " ")
    assert "no `forward`" not in text  # the command line says it, to stderr


def test_what_could_not_be_judged_is_said_in_its_place(tmp_path):
    path = tmp_path / "check.html"
    write_check(path, [WRONG, ERROR], ENVIRONMENT)
    for shown in (as_text(ERROR), as_html(ERROR), path.read_text()):
        assert "Error: broken.py has no `forward`." in shown
    assert '<span class="error">error</span>' in path.read_text()
    assert "1 could not be judged." in path.read_text()
    write_check(path, [ERROR], ENVIRONMENT, force=True)
    assert 'class="banner bad"' in path.read_text()


def test_a_page_has_a_map_only_where_there_are_both_arrays(tmp_path):
    path = tmp_path / "check.html"
    one = report(finding("a"), finding("b", "missing", actual=None), finding("c", expected=None))
    write_check(path, [replace(one, reference="differences")], ENVIRONMENT)
    assert path.read_text().count('class="heat"') == 1
    assert "of hand-written and the reference" in path.read_text()
