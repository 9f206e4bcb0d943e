"""Text from outside is shown as it is, and does nothing."""

import pytest

from handgrad.findings import Cause, Line
from handgrad.show.columns import plain, visible
from handgrad.show.diff import print_diff
from handgrad.show.html import write_check, write_diff
from handgrad.show.jupyter import as_html
from handgrad.show.table import as_text, details, print_reports, summary
from parity_tests.product_tests.shown import WRONG, difference, drift, finding, printed, report

__all__ = ["printed"]  # a fixture

NASTY = "w[/red]\x1b[31m\u202e:smile:\x85<b>"
SHOWN = "w[/red]\\x1b[31m\\u202e:smile:\\x85<b>"


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
