import sys
from pathlib import Path

import pytest

from handgrad.load import gallery as variants
from handgrad.errors import InputError
from handgrad.lessons.notebook import notebook, write_notebook
from handgrad.load.notebook import check_notebook

nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")

ROOT = Path(variants.__file__).parents[1]


@pytest.fixture
def client(tmp_path, monkeypatch):
    """Give a function that makes a client for a notebook, which runs it as Jupyter does."""
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
    pytest.importorskip("ipykernel", reason="ipykernel is not installed")
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))  # the user's own are left alone
    monkeypatch.setenv("OMP_NUM_THREADS", "1")

    def make(node):
        resources = {"metadata": {"path": str(ROOT)}}
        return nbclient.NotebookClient(node, timeout=120, resources=resources)

    return make


def above(cell):
    """Return the one output of a check as HTML, without the folded table."""
    (output,) = cell.outputs
    return output.data["text/html"].split("<details>")[0]


def checks(node):
    return [cell for cell in node.cells if cell.source.startswith("check(")]


def test_the_solved_lesson_runs_and_its_last_check_says_that_all_match(client, variant):
    node = notebook(variant, solved=True)
    client(node).execute()
    assert all(above(cell).startswith("<p><strong>All ") for cell in checks(node))
    first, last = checks(node)[0], checks(node)[-1]
    assert "Not given, so not judged: grad_y_pred" in above(first)
    assert "Not given" not in above(last)
    assert "grad_w1" in last.outputs[0].data["text/plain"]
    printed = node.cells[-1].outputs[0].text.splitlines()
    before, by_hand, with_torch, difference = (float(line.split()[-1]) for line in printed)
    assert by_hand == pytest.approx(with_torch, rel=1e-12)
    assert difference < 1e-12
    assert by_hand < before


def test_a_blank_is_named_and_so_is_a_wrong_sign_put_in_its_place(client):
    node = notebook("two_layer_relu")
    number = next(n for n, cell in enumerate(node.cells) if "= ..." in cell.source)
    blank, check = node.cells[number : number + 2]
    assert blank.source == "grad_y_pred = ...  # (n, d_out)"
    running = client(node)
    running.allow_errors = True
    with running.setup_kernel():
        for n, cell in enumerate(node.cells[: number + 2]):
            running.execute_cell(cell, n)
        (error,) = check.outputs
        assert error.traceback == [
            "InputError: grad_y_pred is still a blank: put your own line in place of `...`."
        ]
        blank.source = "grad_y_pred = -2.0 * (y_pred - y)"
        running.execute_cell(blank, number)
        running.execute_cell(check, number + 1)
    assert above(check).startswith("<p><strong>Wrong: grad_y_pred.")
    assert "<code>grad_y_pred</code><br>sign: " in above(check)


def test_every_line_of_the_backward_pass_is_a_blank_with_a_check_below_it(variant):
    lesson, solved = notebook(variant).cells, notebook(variant, solved=True).cells
    assert [cell.id for cell in lesson] == [cell.id for cell in solved]
    blanks = [n for n, cell in enumerate(lesson) if "= ..." in cell.source]
    names = [lesson[n].source.split()[0] for n in blanks]
    params, x, y = variants.draw(variant)
    manual = variants.manual_side(variant)
    assert names == list(manual.backward(params, x, y, manual.forward(params, x, y)))
    for n in blanks:
        name, shape = lesson[n].source.split(" = ...  ")
        assert solved[n].source.startswith(f"{name} = ")
        assert solved[n].source.endswith(shape)
        assert lesson[n + 1].source.startswith("check(")
    others = [n for n in range(1, len(lesson)) if n not in blanks]
    assert [lesson[n] for n in others] == [solved[n] for n in others]


@pytest.mark.parametrize("solved", [False, True])
def test_a_lesson_is_a_valid_notebook_and_the_same_to_the_byte(variant, solved, tmp_path):
    paths = [tmp_path / "one.ipynb", tmp_path / "two.ipynb"]
    for path in paths:
        write_notebook(path, variant, solved)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    nbformat.validate(nbformat.read(paths[0], as_version=4))


def test_handgrad_checks_a_lesson_like_any_notebook(tmp_path):
    path = tmp_path / "lesson.ipynb"
    write_notebook(path, "two_layer_relu", solved=True)
    report = check_notebook(path)
    assert {finding.verdict for finding in report.findings} == {"match"}
    write_notebook(path, "two_layer_relu", force=True)
    with pytest.raises(InputError, match="grad_y_pred is still a blank"):
        check_notebook(path)


def test_bad_input_is_one_sentence(tmp_path, monkeypatch):
    path = tmp_path / "lesson.ipynb"
    with pytest.raises(InputError, match=r"ends in \.ipynb, found '.*lesson\.py'"):
        write_notebook(path.with_suffix(".py"), "two_layer_relu")
    with pytest.raises(InputError, match="no variant 'two'"):
        write_notebook(path, "two")
    path.write_text("mine")
    with pytest.raises(InputError, match="is there already"):
        write_notebook(path, "two_layer_relu")
    assert path.read_text() == "mine"
    monkeypatch.setitem(sys.modules, "nbformat", None)
    with pytest.raises(InputError, match=r"needs nbformat.*handgrad\[notebook\]"):
        write_notebook(path, "two_layer_relu", force=True)
