"""Where nan or inf first appears is said, with the line, the operation and the way from there."""

import importlib.util
from typing import Any

import numpy as np
import pytest
from torch import nn

import handgrad
from handgrad.explain.origin import Origins
from handgrad.network import Network
from handgrad.pipeline import check_file
from parity_tests.meta_tests.not_finite_cases import CASES


def said_of(path, source):
    """Check a file, and return all that is said of it besides the table, as one text."""
    path.write_text(source)
    try:
        reports = [checked_layer(path)] if "layer =" in source else check_file(path)
    except handgrad.InputError as error:
        return str(error)
    causes = [f.cause.message for r in reports for f in r.findings if f.cause is not None]
    notes = [note for report in reports for note in report.notes]
    return "\n".join([*(r.error for r in reports if r.error), *causes, *notes])


def checked_layer(path):
    """Check the layer that a file has under this name."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return handgrad.check_layer(*module.layer)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_line_and_the_operation_are_said(case, tmp_path):
    said = said_of(tmp_path / f"{case.name}.py", case.source).replace('"', "'")
    lines = case.source.splitlines()
    here = next(number for number, line in enumerate(lines, 1) if "# HERE" in line)
    assert [part for part in (f"line {here}", *case.said) if part not in said] == []


PASSES = """
import numpy as np

def init(rng):
    x = rng.standard_normal((4, 3))
    return {{"w": rng.standard_normal((3, 2))}}, x, rng.standard_normal((4, 2))

def forward(params, x, y):
    h = x @ params["w"]
{forward}
    return {{"h": h, "a": a, "loss": ((a - y) ** 2).sum()}}

def backward(params, x, y, values):
    h, a = values["h"], values["a"]
    da = 2 * (a - y)
{backward}
    return {{"grad_w": x.T @ dh}}
"""


def said_of_passes(tmp_path, forward="    a = h", backward="    dh = da"):
    """Check two passes with these lines in them."""
    return said_of(tmp_path / "mine.py", PASSES.format(forward=forward, backward=backward))


def test_what_is_finite_is_not_looked_at_again(tmp_path, monkeypatch):
    monkeypatch.setattr("handgrad.explain.origin.sentence.history_of", None)
    assert "first appears" not in said_of_passes(tmp_path)


def test_what_is_not_chosen_is_not_where_it_comes_from(tmp_path):
    forward = "    a = np.where(h > 9, np.log(-abs(h)), h)\n    a = a / (h * 0)"
    said = said_of_passes(tmp_path, forward)
    assert "inf first appears on line 11, `a = a / (h * 0)`" in said
    assert "np.log" not in said


def test_a_function_of_the_users_is_not_called_again(tmp_path):
    forward = (
        "    calls = []\n    def root(h):\n        calls.append(1)\n        assert len(calls) < 2\n"
        "        return np.sqrt(h)\n    a = root(h) * (1 + h)"
    )
    said = said_of_passes(tmp_path, forward)
    assert "nan first appears on line 14, `return np.sqrt(h)`: `np.sqrt(h)` is nan where" in said


def test_what_is_written_in_place_is_taken_as_it_was(tmp_path):
    backward = "    dh = da.copy()\n    dh[1] = 0\n    dh /= np.abs(dh)\n    dh += h"
    said = said_of_passes(tmp_path, backward=backward)
    assert "line 18, `dh /= np.abs(dh)`: in `dh / np.abs(dh)`, 0 / 0 is nan, in row 1" in said


def test_functions_that_write_change_nothing_a_second_time(tmp_path):
    backward = "    dh = da.copy()\n    dh[0] = 0\n    np.log(dh, out=dh)\n    dh *= 0"
    said = said_of_passes(tmp_path, backward=backward)
    assert "first appears on line 18, `np.log(dh, out=dh)`" in said


def test_a_loop_in_brackets_is_looked_into(tmp_path):
    forward = "    a = np.array([np.exp(1000 * abs(row)) for row in h])"
    said = said_of_passes(tmp_path, forward)
    assert "`np.exp(1000 * abs(row))` overflows where `1000 * abs(row)` is" in said


def test_a_number_that_is_written_down_has_a_line(tmp_path):
    said = said_of_passes(tmp_path, "    a = h.copy()\n    a[0, 1] = np.nan")
    assert "nan first appears on line 11, `a[0, 1] = np.nan`. From there" in said


def test_what_is_the_same_in_the_reference_is_told_in_a_note(tmp_path):
    forward = "    h = h * 0\n    a = np.abs(h) ** 0.5"
    backward = "    dh = da * 0.5 * np.abs(h) ** -0.5 * np.sign(h)"
    said = said_of_passes(tmp_path, forward, backward)
    assert "which matches" in said
    assert "0 ** (-0.5) is inf" in said


def test_a_score_that_is_masked_may_be_inf(tmp_path):
    forward = "    s = np.where([[True, False]], h, -np.inf)\n    a = np.exp(s)"
    said = said_of_passes(tmp_path, forward, "    ds = da * a\n    dh = ds")
    assert "Not finite" not in said


def test_of_live_variables_no_line_is_said():
    draw = np.random.default_rng(0).standard_normal
    x, y, w1 = draw((4, 3)), draw((4, 2)), draw((3, 2))
    h1 = x @ w1
    loss = ((h1 - y) ** 2).sum()
    grad_h1 = 2 * (h1 - y)
    grad_h1[0] = np.inf

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.h1 = nn.Linear(3, 2, bias=False)

        def forward(self, x):
            return self.h1(x)

    given = {"w1": w1, "h1": h1, "loss": loss, "grad_h1": grad_h1, "grad_w1": w1}
    report = handgrad.check(given, Net(), x, y, names={"w1": "h1.weight.T"})
    assert report.first == "grad_h1"
    assert "first appears" not in str(report)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("from numpy import exp\n    a = exp(h * 1e4)", "`exp(h * 10000.0)` overflows where"),
        ("a = h * np.sum(np.full(9, 1e308))", "is inf: it overflows"),
        ("a = (h * 1e300).astype(np.float32) * 1.0", "`(h * 1e+300).astype(np.float32)` is"),
        ("a = np.log(h * 0, dtype=np.float64)", "`np.log(h * 0, dtype=np.float64)` is -inf"),
        ("a = h + np.mean(np.zeros((2, 0)))", "`np.mean(np.zeros((2, 0)))` is nan"),
        ("a = np.power(h * 0, -1)", "0) ** (-1) is -inf"),
        ("a = h / (np.argmin(h) * 0)", " / 0 is "),
        ("u, a = h, h % (h * 0)", "% 0 is nan"),
    ],
)
def test_the_operation_is_named(line, said, tmp_path):
    (tmp_path / "mine.py").write_text(PASSES.format(forward=f"    {line}", backward="    dh = da"))
    namespace: dict[str, Any] = {}
    exec(compile((tmp_path / "mine.py").read_text(), str(tmp_path / "mine.py"), "exec"), namespace)
    params, x, y = namespace["init"](np.random.default_rng(0))
    network = Network(
        *("mine", params, x, y),
        forward=namespace["forward"],
        backward=namespace["backward"],
        source="mine.py",
    )
    with np.errstate(all="ignore"):
        assert said in Origins(network).of_loss()
