"""In Jupyter: `check(globals())` on the cells that were run, and `%%handgrad` on one of them."""

import linecache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import handgrad
from handgrad import InputError

DATA = """
import numpy as np
rng = np.random.default_rng(0)
n, d, h = 8, 3, 4
x = rng.standard_normal((n, d))
y = rng.standard_normal((n, 1))
w1 = rng.standard_normal((d, h))
w2 = rng.standard_normal((h, 1))
"""
FORWARD = """
h1 = x @ w1
a1 = np.maximum(h1, 0)
out = a1 @ w2
loss = np.square(out - y).sum()
print(loss)
"""
BACKWARD = """
grad_out = 2.0 * (out - y)
grad_w2 = a1.T @ grad_out
grad_a1 = grad_out @ w2.T
grad_h1 = grad_a1 * (h1 > 0)
grad_w1 = x.T @ grad_h1
"""
UPDATE = """
w1 -= 1e-3 * grad_w1
w2 -= 1e-3 * grad_w2
"""
WRONG = BACKWARD.replace("(h1 > 0)", "(a1 >= 0)")
NAMES = {"grad_out", "grad_w2", "grad_a1", "grad_h1", "grad_w1"}


class Shell:
    """As much of IPython's shell as Handgrad asks."""

    def __init__(self):
        self.magics: dict[Any, Any] = {}
        self.execution_count = 0
        self.history_manager = SimpleNamespace(input_hist_raw=[""])
        self.user_ns: dict[str, Any] = {"__name__": "__main__", "get_ipython": lambda: self}
        self.user_ns["In"] = self.history_manager.input_hist_raw

    def register_magic_function(self, function, magic_kind):
        self.magics[magic_kind, function.__name__] = function

    def run_cell(self, source):
        try:
            exec(compile(source, "<ipython-input>", "exec"), self.user_ns)
        except ZeroDivisionError:
            return SimpleNamespace(success=False)
        return SimpleNamespace(success=True)

    def run(self, *cells):
        """Run cells as a user does; a cell of `%%handgrad` gives its report."""
        result = None
        for cell in cells:
            self.execution_count += 1
            self.user_ns["In"].append(cell)
            first, _, rest = cell.partition("\n")
            if first == "%%handgrad":
                result = self.magics["cell", "handgrad"]("", rest)
            else:
                assert self.run_cell(cell).success
        return result


@pytest.fixture
def shell():
    made = Shell()
    handgrad.load_ipython_extension(made)
    yield made
    for name in [name for name in linecache.cache if name.startswith("cell [")]:
        del linecache.cache[name]


def gradients_of(report):
    return {f.name: f.verdict for f in report.findings if f.kind == "gradient"}


def test_the_cells_that_were_run_are_judged(shell):
    shell.run(DATA, FORWARD, BACKWARD, UPDATE, "import handgrad\nprint(0)")
    before = {name: np.copy(shell.user_ns[name]) for name in ("w1", "h1", "grad_w1")}
    shell.user_ns["In"].append("handgrad.check(globals())")
    report = handgrad.check(shell.user_ns)
    assert report.ok, report
    assert gradients_of(report) == dict.fromkeys(NAMES, "match")
    assert (report.variant, report.reference) == ("cells 2-3", "forward")
    assert any("as they stand now" in note for note in report.notes)
    assert all(np.array_equal(array, shell.user_ns[n]) for n, array in before.items())


def test_a_wrong_line_is_named_with_its_cell(shell):
    shell.run(DATA, FORWARD, WRONG)
    report = handgrad.check(shell.user_ns)
    (wrong,) = [f for f in report.findings if f.verdict == "wrong"]
    assert wrong.name == "grad_h1"
    assert wrong.line is not None
    assert (wrong.line.file, wrong.line.number) == ("cell [3]", 5)


def test_where_nan_comes_from_is_named_with_its_cell(shell):
    undone = "grad_out = 2.0 * (out - y)\n"
    shell.run(DATA, FORWARD, BACKWARD.replace(undone, undone + "grad_out[2] = np.nan\n"))
    report = handgrad.check(shell.user_ns)
    said = str([*report.notes, *(f.cause.message for f in report.findings if f.cause is not None)])
    assert "first appears on line 3 of cell [3], `grad_out[2] = np.nan`" in said


def test_the_last_pass_counts(shell):
    shell.run(DATA, FORWARD, WRONG, UPDATE, FORWARD + BACKWARD + UPDATE)
    assert handgrad.check(shell.user_ns).variant == "cell 5"
    assert handgrad.check(shell.user_ns).ok
    shell.user_ns["In"].append("this is no Python")
    assert handgrad.check(shell.user_ns).ok


def test_a_training_loop_is_judged_once(shell):
    body = "".join(f"    {line}\n" for line in (FORWARD + BACKWARD + UPDATE).strip().splitlines())
    shell.run(DATA, "for t in range(3):\n" + body)
    report = handgrad.check(shell.user_ns)
    assert report.ok
    assert gradients_of(report) == dict.fromkeys(NAMES, "match")


def test_functions_of_other_cells_are_theirs(shell):
    shell.run(
        DATA,
        "def relu(h):\n    return np.maximum(h, 0)\n",
        FORWARD.replace("np.maximum(h1, 0)", "relu(h1)"),
        BACKWARD,
    )
    assert handgrad.check(shell.user_ns).ok


def test_the_magic_runs_its_cell_and_judges_it(shell):
    report = shell.run(DATA, "%%handgrad" + FORWARD + WRONG + UPDATE)
    assert "loss" in shell.user_ns
    (wrong,) = [f for f in report.findings if f.verdict == "wrong"]
    line = wrong.line
    assert line is not None
    assert (line.file, line.code) == ("cell [2]", "grad_h1 = grad_a1 * (a1 >= 0)")
    assert shell.user_ns["In"][2].splitlines()[line.number - 1] == line.code
    assert "grad_h1" in report._repr_html_()


def test_the_magic_judges_a_cell_that_has_its_data(shell):
    assert shell.run("%%handgrad\n" + DATA + FORWARD + BACKWARD + UPDATE).ok


def test_a_cell_that_fails_is_not_judged(shell):
    assert shell.run(DATA, "%%handgrad\n1 / 0\n" + BACKWARD) is None


def test_what_cannot_be_judged_is_said_in_a_sentence(shell):
    with pytest.raises(InputError, match=r"handgrad check FILE\.py"):
        handgrad.check({"w1": np.ones(2)})
    with pytest.raises(InputError, match="Nothing in the cells looks like a derivation"):
        shell.run("%%handgrad\nx = 1\n")
