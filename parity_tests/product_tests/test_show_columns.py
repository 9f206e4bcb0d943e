"""Every output has its columns of the same declaration, and a line for what was not judged."""

from dataclasses import replace

import pytest

from handgrad.show.columns import COLUMNS, columns_of
from handgrad.show.html import write_check
from handgrad.show.jupyter import as_html
from handgrad.show.table import as_text, details, print_reports
from parity_tests.product_tests.shown import ENVIRONMENT, ERROR, WRONG, finding, printed, report

__all__ = ["printed"]  # a fixture

SEVEN = ["quantity", "kind", "shape", "difference", "tolerance", "ratio", "verdict"]


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
