"""Where one mistake makes several quantities wrong, one note says what they are computed with."""

import pytest

from handgrad.explain.groups import notes_on_groups
from handgrad.findings import Finding, Line, Verdict
from handgrad.pipeline import check_file

SOURCE = """
import numpy as np

def relu_grad(grad, h):
    return grad * (h < 0)

def init(rng):
    draw = rng.standard_normal
    return {"w1": draw((4, 5)), "w2": draw((5, 6)), "w3": draw((6, 2))}, draw((7, 4)), draw((7, 2))

def forward(params, x, y):
    h1 = x @ params["w1"]
    a1 = np.maximum(h1, 0)
    h2 = a1 @ params["w2"]
    a2 = np.maximum(h2, 0)
    out = a2 @ params["w3"]
    return {"h1": h1, "a1": a1, "h2": h2, "a2": a2, "loss": ((out - y) ** 2).sum(), "out": out}

def backward(params, x, y, v):
    dout = 2 * (v["out"] - y)
    dh2 = relu_grad(dout @ params["w3"].T, v["h2"])
    dh1 = relu_grad(dh2 @ params["w2"].T, v["h1"])
    return {"w1": x.T @ dh1, "w2": v["a1"].T @ dh2, "w3": v["a2"].T @ dout}
"""
LINES = {"h1": 12, "a1": 13, "dout": 20, "dh2": 21, "dh1": 22, "w1": 23}
BOTH = (
    "`dh2`, `dh1` (lines 21, 22) are all computed with `relu_grad` (line 4), and nothing else that "
    "was judged is: look there first."
)


def test_a_helper_that_is_wrong_is_named(tmp_path):
    (tmp_path / "mine.py").write_text(SOURCE)
    (report,) = check_file(tmp_path / "mine.py")
    assert "`dh2`, `dh1` are all computed on line 5: look there first." in report.notes


@pytest.mark.parametrize(
    ("wrong", "note"),
    [
        (("dh2", "dh1"), [BOTH]),
        (("dh1",), []),
        (("dout", "dh1"), []),  # it does not call the helper
        (("dh2", "dh1", "w1"), []),
        (("h1", "a1"), []),  # np.maximum is none of the user's
    ],
)
def test_it_is_said_where_it_is_all_that_is_wrong(tmp_path, wrong, note):
    path = tmp_path / "mine.py"
    path.write_text(SOURCE)
    assert (
        notes_on_groups([found(path, name, LINES[name], name in wrong) for name in LINES]) == note
    )


def test_a_line_in_a_loop_is_named(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(SOURCE)
    findings = [found(path, f"dh[{t}]", 21, t < 3) for t in range(4)]
    assert notes_on_groups(findings) == [
        "`dh[0]`, `dh[1]`, `dh[2]` are all computed on line 21: look there first."
    ]


def found(path, name, number, is_wrong):
    """Return the Finding on a quantity of a line."""
    verdict: Verdict = "wrong" if is_wrong else "match"
    line = Line(str(path), number, "")
    return Finding(name, "gradient", (7, 5), 0.0, 0.0, 0.0, 0.0, verdict, line=line)
