"""Scripts and notebooks as they stand: each pass is judged, and nothing after the last is run."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from handgrad.load import statements
from handgrad.pipeline import check_file

PRINTED = Path(__file__).with_name("notebook.txt").read_text(encoding="utf-8")
CELLS = [cell.rstrip() for cell in re.split(r"In \[\d+\]:\n", PRINTED)[1:]]
PASSES = ["cells 4-10", "cell 12", "cells 16-18", "cell 20", "cells 23-24", "cell 25", "cell 28"]

SCRIPT = """
import numpy as np
rng = np.random.default_rng(0)
x, y = rng.standard_normal((8, 3)), rng.standard_normal((8, 1))
w1, w2 = rng.standard_normal((3, 4)), rng.standard_normal((4, 1))
rounds = []
for t in range(500):
    rounds.append(t)
    h1 = x @ w1
    h1_tanh = np.tanh(h1)
    y_pred = h1_tanh @ w2
    loss = np.square(y_pred - y).sum()
    dy_pred = 2 * (y_pred - y)
    dw2 = h1_tanh.T @ dy_pred
    dh1_tanh = dy_pred @ w2.T
    dh1 = dh1_tanh * (1 - h1_tanh ** 2)
    dw1 = x.T @ dh1
    w1 -= 0.01 * dw1
    w2 -= 0.01 * dw2
"""


@pytest.fixture
def write(tmp_path):
    """Give a function that writes a script, and returns its path."""

    def put(source, name="mine.py"):
        path = tmp_path / name
        path.write_text(source, encoding="utf-8")
        return path

    return put


@pytest.fixture
def notebook(write):
    """Give a function that writes cells as a notebook, and returns its path."""

    return lambda cells: write(as_notebook(cells), "notebook.ipynb")


def as_notebook(cells):
    """Return code cells as the text of a notebook."""
    kept: dict[str, Any] = {
        "cell_type": "code",
        "metadata": {},
        "execution_count": None,
        "outputs": [],
    }
    made = [kept | {"source": cell} for cell in cells]
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 4})


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """Give the reports on the project's notebook, as it is printed."""
    path = tmp_path_factory.mktemp("printed") / "notebook.ipynb"
    path.write_text(as_notebook(CELLS), encoding="utf-8")
    return check_file(path)


def wrong_findings(report):
    """Return the findings that are wrong."""
    return [finding for finding in report.findings if finding.verdict == "wrong"]


def verdicts(report):
    """Return the verdict of each gradient in a report."""
    return {f.name: f.verdict for f in report.findings if f.kind == "gradient"}


def test_the_notebook_as_it_is_printed_has_seven_passes(printed):
    assert len(CELLS) == 28
    assert [report.variant for report in printed] == [f"notebook.ipynb, {p}" for p in PASSES]
    assert [report.error for report in printed] == [None] * 7


def test_all_passes_of_the_notebook_are_right_but_the_last(printed):
    assert [report.verdict for report in printed] == ["match"] * 6 + ["mismatch"]
    for report in printed[:6]:
        assert set(verdicts(report).values()) <= {"match", "subgradient"}


def test_every_gradient_of_the_notebook_is_judged(printed):
    weights = [{"w1", "w2"}] * 2 + [{"w1", "w2", "w3"}] * 2
    weights += [{"w1", "w2", "w3", "b1", "b2", "b3"}] * 3
    for report, names in zip(printed, weights, strict=True):
        assert {f.name for f in report.findings if f.kind == "parameter"} == names
        assert verdicts(report).keys() >= {f"grad_{name}" for name in names}
        assert "missing" not in verdicts(report).values()
    assert "grad_h_relu" in verdicts(printed[0])


def test_of_the_wrong_network_it_is_said_that_h2_does_not_reach_the_loss(printed):
    said = {f.name: f.cause.message for f in wrong_findings(printed[6])}
    for name in ("grad_h2", "grad_w2", "grad_b2"):
        assert "`h2`" in said[name]
        assert "does not reach the loss" in said[name]
        assert "gradient of another network" in said[name]
    assert verdicts(printed[6])["grad_w3"] == verdicts(printed[6])["grad_h2_sigm"] == "match"


def test_a_bias_gradient_that_is_a_column_is_a_note(printed):
    for report in printed[4:]:
        notes = [note for note in report.notes if "is judged in the shape" in note]
        assert [note.split("`")[1] for note in notes] == ["grad_b3", "grad_b2", "grad_b1"]
    assert not any("shape" in note for report in printed[:4] for note in report.notes)


def test_a_pass_without_a_loss_says_where_it_begins(printed):
    assert "There is no loss: `grad_y_pred` is taken as it is." in printed[4].notes
    assert not any("no loss" in note for note in printed[3].notes)


def test_the_lines_of_a_notebook_are_named_by_their_cells(notebook):
    wrong = [cell.replace("h_relu.T.dot(grad_y_pred)", "h.T.dot(grad_y_pred)") for cell in CELLS]
    report = check_file(notebook(wrong[:11]))[0]
    (finding,) = wrong_findings(report)
    assert (finding.name, finding.line.number) == ("grad_w2", 1)
    assert str(finding.line.file).endswith("notebook.ipynb [9]")


def test_a_training_loop_runs_once(write):
    (report,) = check_file(write(SCRIPT.replace("rounds.append(t)", "only = ['the first'][t]")))
    assert (report.verdict, report.error) == ("match", None)
    assert report.variant == "mine.py, lines 9-17"
    assert {f.name for f in report.findings if f.kind == "parameter"} == {"w1", "w2"}


@pytest.mark.parametrize(
    "after",
    [
        "raise RuntimeError('this was run')",
        "y_pred = np.tanh(x @ w1) @ w2\nloss = np.square(y_pred - y).sum()\nsaved = w1.no_such",
    ],
)
def test_what_comes_after_the_last_pass_is_not_run(write, after):
    (report,) = check_file(write(f"{SCRIPT}\n{after}\n"))
    assert (report.verdict, report.error) == ("match", None)


def test_what_comes_between_two_passes_is_run_and_not_judged(write):
    between = "y_pred = np.tanh(x @ w1) @ w2\nscale = 0.5\n"
    again = SCRIPT.partition("rounds = []\n")[2].replace("2 * (y", "4 * scale * (y")
    reports = check_file(write(SCRIPT + between + "rounds = []\n" + again))
    assert [(report.verdict, report.error) for report in reports] == [("match", None)] * 2


def test_a_mistake_in_a_loop_is_found_at_its_line(write):
    source = SCRIPT.replace("(1 - h1_tanh ** 2)", "(1 - h1_tanh)")
    (report,) = check_file(write(source))
    (wrong,) = wrong_findings(report)
    number = next(n for n, line in enumerate(source.split("\n"), 1) if "(1 - h1_tanh)" in line)
    assert (wrong.name, wrong.line.number) == ("dh1", number)
    assert wrong.cause.kind == "wrong-derivative"


def test_what_another_pass_left_is_no_data_of_the_next(write):
    stale = SCRIPT.replace("rounds = []", "rounds, h1, h1_tanh = [], x @ w1, np.zeros((8, 4))")
    (report,) = check_file(write(stale.replace("y_pred = h1", "y_pred = 1 * h1", 1)))
    assert report.verdict == "match"
    assert {f.name for f in report.findings if f.kind == "parameter"} == {"w1", "w2"}


def test_a_script_with_nothing_like_a_derivation_is_refused_before_it_runs(write, tmp_path):
    trace = tmp_path / "ran"
    (report,) = check_file(write(f"open({str(trace)!r}, 'w').close()\nanswer = 42\n"))
    assert "nothing in it looks like a derivation" in str(report.error)
    assert not trace.exists()


def test_a_failing_line_of_a_script_is_named(write):
    (report,) = check_file(write(SCRIPT.replace("rng.standard_normal((4, 1))", "rng.normals((4))")))
    assert re.search(r"mine\.py, line 5.*AttributeError", str(report.error))


@pytest.mark.parametrize(
    ("statement", "names"),
    [
        ("w1 -= rate * dw1", {"w1"}),
        ("w1 = w1 - rate * grad_w1", {"w1"}),
        ("h -= h.mean()", set()),
        ("loss = loss + d", set()),
    ],
)
def test_weights_that_are_moved_are_told_by_their_names(statement, names):
    (one,) = statements.statements_of([("mine.py", statement)])
    assert statements.moved(one.node) == names


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("h = x @ w\nh = h + 1", {"h"}),
        ("h = h @ w", set()),
        ("h[0] = x", set()),
        ("total += x", set()),
        ("if x: h = 1", set()),
        ("n = h.shape\nh = x", {"n", "h"}),
    ],
)
def test_what_is_assigned_before_it_is_read_is_made_anew(source, names):
    assert statements.made_anew(statements.statements_of([("mine.py", source)])) == names


def test_a_file_with_the_functions_and_the_data_is_no_script():
    passes = "def forward(params, x, y): ...\ndef backward(params, x, y, values): ...\n"
    assert statements.is_script(passes)
    assert not statements.is_script(passes + "def init(rng): ...\n")
    assert not statements.is_script(passes + "params, x, y = {}, 1, 2\n")
    assert not statements.is_script("reference = net\nw1 = 1\n")


def test_a_bias_that_is_a_plain_number_is_judged(write):
    source = """
import numpy as np
rng = np.random.default_rng(0)
x, y = rng.standard_normal((8, 3)), rng.standard_normal(8)
w, b = rng.standard_normal(3), 0
y_pred = x @ w + b
loss = np.square(y_pred - y).sum()
dy_pred = 2 * (y_pred - y)
dw = x.T @ dy_pred
db = dy_pred.sum()
w -= 0.1 * dw
b -= 0.1 * db
"""
    (right,) = check_file(write(source))
    assert right.ok
    assert "db" in {finding.name for finding in right.findings}
    (wrong,) = check_file(write(source.replace("dy_pred.sum()", "3 * dy_pred.sum()")))
    assert [f.name for f in wrong.findings if f.verdict == "wrong"] == ["db"]


def test_an_exception_in_a_script_is_not_said_to_be_in_its_forward_pass(write):
    (report,) = check_file(write(SCRIPT.replace("x.T @ dh1", "x @ dh1")))
    assert "mine.py, the pass, line 17: it raised ValueError" in str(report.error)


INDENTED = SCRIPT.replace("\n", "\n    ").replace("(1 - h1_tanh ** 2)", "(1 - h1 ** 2)")


@pytest.mark.parametrize(
    "source",
    [
        f"if __name__ == '__main__':{INDENTED}",
        f"def main():{INDENTED}\nmain()\n",
        f"def run():{INDENTED}return loss\n\nif __name__ == '__main__':\n    run()\n",
    ],
)
def test_a_script_may_keep_all_in_main(write, source):
    (report,) = check_file(write(source))
    assert [f.name for f in report.findings if f.verdict == "wrong"] == ["dh1"]


def test_weights_that_a_training_function_draws_itself_are_asked_for(write):
    few = INDENTED.replace("500", "steps")
    (report,) = check_file(write(f"def train(steps):{few}\ntrain(3)\n"))
    assert "no pass was found: a function that draws its weights itself" in str(report.error)


def test_what_a_gradient_was_before_it_is_written_into_is_no_other_one(write):
    source = """
import numpy as np
rng = np.random.default_rng(0)
x, y = rng.standard_normal((8, 3)), rng.integers(0, 4, 8)
w, b = rng.standard_normal((3, 4)), rng.standard_normal(4)
s = x @ w + b
s = s - s.max(axis=1, keepdims=True)
logp = s - np.log(np.exp(s).sum(axis=1, keepdims=True))
loss = -logp[range(8), y].sum()
ds = np.exp(logp)
ds[range(8), y] -= 1
dw = x.T @ ds
db = ds.sum(axis=0) / 8
"""
    (report,) = check_file(write(source))
    assert [f.name for f in report.findings if f.verdict == "wrong"] == ["db"]
