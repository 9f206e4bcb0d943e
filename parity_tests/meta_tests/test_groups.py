"""Where one mistake makes several quantities wrong, one note says what they are computed with."""

import pytest

from handgrad.pipeline import check_file

SOURCE = """
import numpy as np

def relu_grad(grad, h):
    return grad * {slope}

def affine_grad(grad, a, w):
    return a.T @ grad, grad @ w.T

def init(rng):
    draw = rng.standard_normal
    sizes = {{"w1": (4, 5), "w2": (5, 6), "w3": (6, 2)}}
    return {{n: draw(s) for n, s in sizes.items()}}, draw((7, 4)), draw((7, 2))

def forward(params, x, y):
    h1 = x @ params["w1"]
    a1 = np.maximum(h1, 0)
    h2 = a1 @ params["w2"]
    a2 = np.maximum(h2, 0)
    out = a2 @ params["w3"]
    values = {{"h1": h1, "a1": a1, "h2": h2, "a2": a2, "out": out}}
    return {{**values, "loss": ((out - y) ** 2).sum()}}

def backward(params, x, y, v):
    dout = 2 * (v["out"] - y)
    dw3, da2 = affine_grad(dout, v["a2"], params["w3"])
    dh2 = {second}
    dw2, da1 = affine_grad(dh2, v["a1"], params["w2"])
    dh1 = relu_grad(da1, v["h1"])
    dw1, dx = affine_grad(dh1, x, params["w1"])
    return {{"w1": {first}, "w2": dw2, "w3": dw3}}
"""
NOTE = "`dh2`, `dh1` (lines 27, 29) are all computed with `relu_grad` (line 4)"


def note_of(tmp_path, slope="(h < 0)", second='relu_grad(dh2, v["h2"])', first="dw1"):
    """Check the derivation with these lines, and return the notes on what its mistakes share."""
    second = second.replace("dh2, ", "da2, ")
    (tmp_path / "mine.py").write_text(SOURCE.format(slope=slope, second=second, first=first))
    (report,) = check_file(tmp_path / "mine.py")
    return [note for note in report.notes if "look there first" in note]


def test_a_helper_that_is_wrong_is_named(tmp_path):
    (note,) = note_of(tmp_path)
    assert note == f"{NOTE}, and nothing else that was judged is: look there first."


@pytest.mark.parametrize(
    "how",
    [
        {"slope": "(h > 0)"},  # right
        {"second": "da2 * (v['h2'] > 0)"},  # one of them only
        {"slope": "(h > 0)", "second": "-relu_grad(da2, v['h2'])"},
        {"first": "2 * dw1"},  # another one, which does not call it
    ],
)
def test_what_is_not_all_of_it_is_not_said(tmp_path, how):
    assert note_of(tmp_path, **how) == []


LOOP = """
import numpy as np

def init(rng):
    return {"w": rng.standard_normal((3, 3)) / 3}, rng.standard_normal((4, 5, 3)), np.zeros((5, 3))

def forward(params, x, y):
    h = np.zeros((5, 5, 3))
    for t in range(4):
        h[t + 1] = np.tanh(h[t] @ params["w"] + x[t])
    return {"h": h, "loss": (h[1:] ** 2).sum()}

def backward(params, x, y, v):
    h, dw, carry = v["h"], np.zeros((3, 3)), np.zeros((5, 3))
    dh = np.zeros_like(h)
    for t in range(4, 0, -1):
        dh[t] = -(2 * h[t] + carry)
        dz = dh[t] * (1 - h[t] ** 2)
        dw += h[t - 1].T @ dz
        carry = dz @ params["w"].T
    return {"w": dw}
"""


def test_a_line_in_a_loop_is_named(tmp_path):
    (tmp_path / "mine.py").write_text(LOOP)
    (report,) = check_file(tmp_path / "mine.py")
    (note,) = [note for note in report.notes if "look there first" in note]
    assert (
        note == "`dh[4]`, `dh[3]`, `dh[2]`, `dh[1]` are all computed on line 17: look there first."
    )
