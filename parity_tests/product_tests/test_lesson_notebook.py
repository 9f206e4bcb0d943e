import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import handgrad
from handgrad.errors import InputError
from handgrad.lessons.notebook import notebook, write_notebook
from handgrad.load import gallery
from handgrad.load.notebook import run_cells
from handgrad.pipeline import check_file
from handgrad.run.hand_written import run_hand_written
from parity_tests.product_tests.two_inputs import two_inputs

__all__ = ["two_inputs"]  # a fixture

nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")

ROOT = Path(handgrad.__file__).parents[1]


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


def printed_losses(text):
    """Return the numbers of the lesson's last cell: before, by hand, with PyTorch, difference."""
    return [float(line.split()[-1]) for line in text.splitlines()[-4:]]


def assert_steps_agree(before, by_hand, with_torch, difference):
    assert by_hand == pytest.approx(with_torch, rel=1e-12)
    assert difference < 1e-12
    assert by_hand < before


@pytest.mark.slow
def test_the_solved_lessons_run_and_their_last_checks_say_that_all_match(client):
    """One after the other in one kernel, emptied in between: a kernel takes long to start."""
    lessons = {name: notebook(name, solved=True) for name in gallery.GALLERY}
    empty = nbformat.v4.new_code_cell("%reset -f")
    whole = nbformat.v4.new_notebook()  # whose cells may have an id twice, if they come later
    whole.cells = [cell for lesson in lessons.values() for cell in (*lesson.cells, empty)]
    client(whole).execute()
    for name, node in lessons.items():
        assert all(above(cell).startswith("<p><strong>All ") for cell in checks(node)), name
        first, last = checks(node)[0], checks(node)[-1]
        assert "Missing, so not judged: " in above(first)
        assert "Missing" not in above(last)
        assert "grad_w1" in last.outputs[0].data["text/plain"]
        assert_steps_agree(*printed_losses(node.cells[-1].outputs[0].text))


def solved_cells(name):
    """Run a solved lesson's cells one by one; return the variables and the reports, in order."""
    namespace: dict[str, Any] = {}
    reports = []
    for cell in notebook(name, solved=True).cells:
        if cell.cell_type != "code":
            continue
        if cell.source.startswith("check("):
            reports.append(eval(cell.source, namespace))
        else:
            exec(cell.source, namespace)
    return namespace, reports


def test_the_cells_of_a_solved_lesson_give_what_the_network_gives(name, capsys):
    namespace, reports = solved_cells(name)
    trace = run_hand_written(gallery.load(name))
    for quantity, array in trace.items():
        assert np.array_equal(namespace[quantity], array), quantity
    assert all(report.ok for report in reports)
    gradients = [quantity for quantity in trace if quantity.startswith("grad_")]
    missing = [{f.name for f in report.findings if f.verdict == "missing"} for report in reports]
    assert missing == [set(gradients[n:]) for n in range(1, len(gradients) + 1)]
    assert_steps_agree(*printed_losses(capsys.readouterr().out))


def test_a_lesson_on_a_network_of_another_kind(two_inputs):
    namespace, reports = solved_cells(two_inputs)
    assert [report.ok for report in reports] == [True] * 4
    assert {finding.verdict for finding in reports[-1].findings} == {"match"}
    source = "\n".join(cell.source for cell in notebook(two_inputs).cells)
    for words in (
        "import math\nimport numpy as np\n",
        "from handgrad.manual.two_inputs import SCALE, init\n",
        "table, w = params.values()\nx1, x2 = x\n",
        "check(globals(), net, x, y, loss=loss_fn, names=PARAMETERS)",
    ):
        assert words in source
    assert "learning_rate" not in source  # it is not trained
    assert "The notebook that this network comes from" not in source
    assert namespace["x2"].dtype.kind == "i"


def test_several_inputs_take_a_step_too(two_inputs, monkeypatch, capsys):
    side = gallery.manual_side(two_inputs)
    monkeypatch.setattr(side, "LEARNING_RATES", [1e-2], raising=False)
    solved_cells(two_inputs)
    before, by_hand, with_torch, _ = printed_losses(capsys.readouterr().out)
    assert by_hand == pytest.approx(with_torch, rel=1e-12)
    assert by_hand < before


def test_the_check_names_the_loss_just_where_it_is_another(name):
    other = name == "softmax_cross_entropy"
    for cell in checks(notebook(name)):
        assert ("loss=loss_fn" in cell.source) == other


@pytest.mark.slow
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


def test_every_line_of_the_backward_pass_is_a_blank_with_a_check_below_it(name):
    lesson, solved = notebook(name).cells, notebook(name, solved=True).cells
    assert [cell.id for cell in lesson] == [cell.id for cell in solved]
    blanks = [n for n, cell in enumerate(lesson) if "= ..." in cell.source]
    names = [lesson[n].source.split()[0] for n in blanks]
    trace = run_hand_written(gallery.load(name))
    assert names == [key for key in trace if key.startswith("grad_")]
    for n in blanks:
        gradient, shape = lesson[n].source.split(" = ...  ")
        assert f"\n{gradient} = " in f"\n{solved[n].source}"
        assert solved[n].source.endswith(shape)
        assert lesson[n + 1].source.startswith("check(")
    others = [n for n in range(1, len(lesson)) if n not in blanks]
    assert [lesson[n] for n in others] == [solved[n] for n in others]


@pytest.mark.parametrize("solved", [False, True])
def test_a_lesson_is_a_valid_notebook_and_the_same_to_the_byte(name, solved, tmp_path):
    paths = [tmp_path / "one.ipynb", tmp_path / "two.ipynb"]
    for path in paths:
        write_notebook(path, name, solved)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    nbformat.validate(nbformat.read(paths[0], as_version=4))


def test_handgrad_checks_a_lesson_like_any_notebook(name, tmp_path):
    path = tmp_path / "lesson.ipynb"
    write_notebook(path, name, solved=True)
    report = check_file(path)[0]
    assert report.error is None
    assert {finding.verdict for finding in report.findings} == {"match"}


def test_handgrad_names_the_blank_of_a_lesson(tmp_path):
    path = tmp_path / "lesson.ipynb"
    write_notebook(path, "two_layer_relu")
    with pytest.raises(InputError, match="grad_y_pred is still a blank"):
        run_cells(path)
    assert "grad_y_pred is still a blank" in str(check_file(path)[0].error)


def test_bad_input_is_one_sentence(tmp_path, monkeypatch):
    path = tmp_path / "lesson.ipynb"
    with pytest.raises(InputError, match=r"ends in \.ipynb, found '.*lesson\.py'"):
        write_notebook(path.with_suffix(".py"), "two_layer_relu")
    with pytest.raises(InputError, match="no network 'two'"):
        write_notebook(path, "two")
    path.write_text("mine")
    with pytest.raises(InputError, match="is there already"):
        write_notebook(path, "two_layer_relu")
    assert path.read_text() == "mine"
    monkeypatch.setitem(sys.modules, "nbformat", None)
    with pytest.raises(InputError, match=r"needs nbformat.*handgrad\[notebook\]"):
        write_notebook(path, "two_layer_relu", force=True)
