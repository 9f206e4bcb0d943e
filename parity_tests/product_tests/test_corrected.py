"""The corrected line: it is found, verified and written, in what a user has written."""

import json
from textwrap import dedent

import pytest

from handgrad.cli.fixing import write_fixes
from handgrad.explain.correct import corrected
from handgrad.explain.correct.edits import edits_of
from handgrad.explain.correct.places import Names
from handgrad.pipeline import check_file

pytestmark = pytest.mark.usefixtures("with_corrections")

RIGHT = dedent(
    """
    import numpy as np


    def slope(a):
        return a * (1 - a)


    def init(rng, n=9, d=4, h=5, k=3):
        params = {"W1": rng.standard_normal((d, h)), "b1": rng.standard_normal(h)}
        params |= {"W2": rng.standard_normal((h, k)), "b2": rng.standard_normal(k)}
        return params, rng.standard_normal((n, d)), rng.standard_normal((n, k))


    def forward(params, x, y):
        z1 = x @ params["W1"] + params["b1"]
        a1 = 1 / (1 + np.exp(-z1))
        z2 = a1 @ params["W2"] + params["b2"]
        return {"z1": z1, "a1": a1, "z2": z2, "loss": ((z2 - y) ** 2).mean()}


    def backward(params, x, y, cache):
        dz2 = 2 * (cache["z2"] - y) / y.size
        dW2 = cache["a1"].T @ dz2
        db2 = dz2.sum(axis=0)
        da1 = dz2 @ params["W2"].T
        dz1 = da1 * slope(cache["a1"])
        dW1 = x.T @ dz1
        db1 = dz1.sum(axis=0)
        return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}
    """
).lstrip()

# What stands there, what is written instead, and the corrected line.
MISTAKES = [
    ("/ y.size", "/ len(y)", 'dz2 = 2 * (cache["z2"] - y) / y.size'),
    ("dz2 = 2 * (cache", "dz2 = (cache", None),
    ("dW1 = x.T @ dz1", "dW1 = x.T @ da1", "dW1 = x.T @ dz1"),
    ("db1 = dz1.sum(axis=0)", "db1 = dz1.mean(axis=0)", "db1 = dz1.sum(axis=0)"),
    ("dz1 = da1 * slope", "dz1 = -da1 * slope", 'dz1 = da1 * slope(cache["a1"])'),
    ('slope(cache["a1"])', 'slope(cache["z1"])', 'dz1 = da1 * slope(cache["a1"])'),
    ("return a * (1 - a)", "return a * (1 + a)", "return a * (1 - a)"),
    ("return a * (1 - a)", "return 1 - a", None),
    ('"b1": db1,', '"b1": -db1,', None),
    ('cache["a1"].T @ dz2', 'cache["z1"].T @ dz2', 'dW2 = cache["a1"].T @ dz2'),
]


def saved(folder, source, name="mine.py"):
    """Write a file, and return its path."""
    path = folder / name
    path.write_text(source, encoding="utf-8")
    return path


def fixes_of(report):
    """Return the fixes of a report, each once."""
    return list({f.fix[:4]: f.fix for f in report.findings if f.fix is not None}.values())


@pytest.mark.parametrize(("old", "new", "line"), MISTAKES)
def test_a_mistake_is_corrected(tmp_path, old, new, line):
    (report,) = check_file(saved(tmp_path, RIGHT.replace(old, new)))
    (fix,) = fixes_of(report)
    assert line in (None, fix.new, *fix.alternatives)
    assert fix.verified_on == 3
    text = RIGHT.replace(old, new).splitlines()
    assert text[fix.number - 1].strip() == fix.old
    text[fix.number - 1] = f"    {fix.new}"
    (report,) = check_file(saved(tmp_path, "\n".join(text), "again.py"))
    assert report.ok


def test_for_what_is_right_nothing_is_searched(tmp_path, monkeypatch):
    monkeypatch.setattr(corrected, "look", None)
    (report,) = check_file(saved(tmp_path, RIGHT))
    assert report.ok


def test_two_mistakes_are_both_corrected_and_written(tmp_path, capsys):
    wrong = RIGHT.replace("/ y.size", "/ len(y)").replace("dW1 = x.T @ dz1", "dW1 = -x.T @ dz1")
    path = saved(tmp_path, wrong)
    reports = check_file(path)
    assert len(fixes_of(reports[0])) == 2
    assert path.read_text() == wrong  # until it is asked for
    write_fixes(reports)
    assert "2 lines of" in capsys.readouterr().err
    assert path.read_text() == RIGHT
    assert (tmp_path / "mine.before.py").read_text() == wrong
    path.write_text(wrong)
    write_fixes(reports)
    assert (tmp_path / "mine.before2.py").read_text() == wrong


def test_a_line_that_has_changed_meanwhile_is_not_written_over(tmp_path, capsys):
    path = saved(tmp_path, RIGHT.replace("/ y.size", "/ len(y)"))
    reports = check_file(path)
    path.write_text("# something else\n")
    assert not write_fixes(reports)
    assert "Error: Line 22 is not" in capsys.readouterr().err
    assert path.read_text() == "# something else\n"


SCRIPT = dedent(
    """
    import numpy as np

    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((8, 3)), rng.standard_normal((8, 2))
    w1, w2 = rng.standard_normal((3, 4)), rng.standard_normal((4, 2))
    for step in range(10):
        h = x.dot(w1)
        h_relu = np.maximum(h, 0)
        h_pred = h_relu.dot(w2)
        loss = np.square(h_pred - y).sum()
        grad_h_pred = 2 * (h_pred - y)
        grad_w2 = h_relu.T.dot(grad_h_pred)
        grad_h_relu = grad_h_pred.dot(w2.T)
        grad_h = grad_h_relu.copy()
        grad_h[h > 0] = 0
        grad_w1 = x.T.dot(grad_h)
        w1 -= 1e-4 * grad_w1
        w2 -= 1e-4 * grad_w2
    """
)


def test_a_line_in_a_training_loop_is_corrected(tmp_path):
    (report,) = check_file(saved(tmp_path, SCRIPT))
    (fix,) = fixes_of(report)
    assert fix.old == "grad_h[h > 0] = 0"
    assert fix.new in ("grad_h[h < 0] = 0", "grad_h[h <= 0] = 0")


def test_a_cell_of_a_notebook_is_corrected_and_written(tmp_path):
    kept: dict = {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": []}
    cells = [kept | {"source": part} for part in SCRIPT.split("for step")[:1]]
    body = dedent("for step" + SCRIPT.split("for step")[1])
    cells.append(kept | {"source": body.splitlines(keepends=True)})
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    path = saved(tmp_path, json.dumps(notebook, indent=1), "mine.ipynb")
    reports = check_file(path)
    assert [fix.old for fix in fixes_of(reports[0])] == ["grad_h[h > 0] = 0"]
    assert write_fixes(reports)
    (report,) = check_file(path)
    assert report.ok


def test_a_notebook_of_the_older_format_is_written_as_well(tmp_path):
    kept: dict = {"cell_type": "code", "metadata": {}, "outputs": [], "language": "python"}
    sheet = {"cells": [kept | {"input": SCRIPT}], "metadata": {}}
    notebook = {"worksheets": [sheet], "metadata": {}, "nbformat": 3, "nbformat_minor": 0}
    path = saved(tmp_path, json.dumps(notebook), "mine.ipynb")
    assert write_fixes(check_file(path))
    (report,) = check_file(path)
    assert report.ok


@pytest.mark.slow
def test_where_the_forward_pass_is_another_one_its_line_is_offered_first(tmp_path):
    wrong = RIGHT.replace('z2 = a1 @ params["W2"]', 'z2 = z1 @ params["W2"]')
    (report,) = check_file(saved(tmp_path, wrong))
    (fix,) = fixes_of(report)
    assert fix.is_forward
    assert fix.new == 'z2 = a1 @ params["W2"] + params["b2"]'


@pytest.mark.slow
def test_two_changes_of_a_line_are_found_where_they_are_asked_for(tmp_path):
    wrong = RIGHT.replace("dW1 = x.T @ dz1", "dW1 = -(dz1.T @ x)")
    (report,) = check_file(saved(tmp_path, wrong), depth=2)
    (fix,) = fixes_of(report)
    assert fix.new in ("dW1 = (x.T @ dz1)", "dW1 = x.T @ dz1", "dW1 = (dz1.T @ x).T")


@pytest.mark.slow
def test_what_nothing_corrects_has_no_fix(tmp_path):
    wrong = RIGHT.replace("dW1 = x.T @ dz1", "dW1 = np.sin(np.arange(20.0)).reshape(4, 5)")
    (report,) = check_file(saved(tmp_path, wrong))
    assert fixes_of(report) == []


def test_edits_are_statements_and_brackets_stand_where_they_are_needed():
    names = Names(["a", "b", 'cache["c"]'], ["f"], [("f", "deriv", False)])
    texts = [edit.text for edit in edits_of("g = a * (b > 0)  # (n, h)", names, ["a"], 0)]
    for text in texts:
        compile(text, "<edit>", "exec")
    assert "g = a * (b <= 0)  # (n, h)" in texts
    assert "g = a  # (n, h)" in texts
    assert "g = -a * (b > 0)  # (n, h)" in texts
    assert "g = a * (1 - b > 0)  # (n, h)" in texts
    assert len(texts) == len(set(texts))
    assert "g = f(a, deriv=True)" in [e.text for e in edits_of("g = f(a)", names, [], 0)]
    product = [edit.text for edit in edits_of("g = (a + b) * b", names, [], 0)]
    assert "g = a * b" in product
    assert "g = (a - b) * b" in product


BLACK = """
import numpy as np

rng = np.random.default_rng(0)
x, y, w = rng.standard_normal((8, 3)), rng.standard_normal((8, 2)), rng.standard_normal((3, 2))
h = x @ w
a = np.tanh(h)
loss = np.square(a - y).sum()
da = 2 * (a - y); dh = (
    da
    * (1 - h**2)
)
dw = x.T @ dh
"""


def test_lines_that_are_broken_or_hold_two_statements_are_corrected(tmp_path):
    (report,) = check_file(path := saved(tmp_path, BLACK))
    assert [fix.new for fix in fixes_of(report)] == ["* (1 - a**2)"]
    assert write_fixes([report])
    assert path.read_text() == BLACK.replace("1 - h**2", "1 - a**2")


def test_a_link_leads_to_the_file_that_is_written(tmp_path):
    path = saved(tmp_path, RIGHT.replace("/ y.size", "/ len(y)"))
    (link := tmp_path / "link.py").symlink_to(path)
    assert write_fixes(check_file(link))
    assert link.is_symlink()
    assert path.read_text() == RIGHT


ENDLESS = """
import os
import numpy as np

rng = np.random.default_rng(0)
x, y, w = rng.standard_normal((8, 3)), rng.standard_normal((8, 2)), rng.standard_normal((3, 2))
params = {"w": w}


def halved(array, count):
    while count != 0:
        array, count = array / 2, count - 1
        if not np.isfinite(array).all():
            os._exit(3)
    return array


def forward(params, x, y):
    h = x @ params["w"]
    return {"h": h, "loss": np.square(h - y).sum()}


def backward(params, x, y, values):
    dh = halved(values["h"] - y, 2)
    return {"h": dh, "w": x.T @ dh}
"""


def test_an_edit_that_never_ends_or_ends_all_costs_no_verdict(tmp_path):
    (report,) = check_file(saved(tmp_path, ENDLESS))
    assert report.verdict == "mismatch"


def test_a_multiple_that_nothing_takes_out_is_corrected_where_it_comes_from(tmp_path):
    wrong = RIGHT.replace("/ y.size", "/ len(y)").replace("dz2", "delta")
    (report,) = check_file(saved(tmp_path, wrong))
    assert [fix.old for fix in fixes_of(report)] == ['delta = 2 * (cache["z2"] - y) / len(y)']


LOOPING = """
import numpy as np

rng = np.random.default_rng(0)
x, y, w = rng.standard_normal((8, 3)), rng.standard_normal((8, 2)), rng.standard_normal((3, 2))


def settled(a):
    out, change = np.ones_like(a), 1.0
    while change > 1e-6:
        new = 0.5 * out + 0.25 * a
        change = abs(new - out).max()
        out = new
    return 2 * out


h = x @ w
a = np.tanh(h)
loss = np.square(a - y).sum()
da = 2 * (a - y)
dh = da * (1 - settled(a))
dw = x.T @ dh
"""


@pytest.mark.slow
def test_what_is_no_longer_judged_with_an_edit_is_not_corrected_by_it(tmp_path):
    """With another count of loops the names that are assigned have other numbers."""
    (report,) = check_file(saved(tmp_path, LOOPING))
    assert report.first == "dh"
    for fix in fixes_of(report):
        again = LOOPING.replace(fix.old, fix.new)
        assert check_file(saved(tmp_path, again, "again.py"))[0].ok
