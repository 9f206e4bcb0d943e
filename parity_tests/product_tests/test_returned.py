"""What a return statement computes is judged, and has its line."""

import pytest

from handgrad.pipeline import check_file

FILE = """
import numpy as np

def init(rng):
    params = {"w1": rng.standard_normal((3, 4)), "b1": rng.standard_normal(4)}
    params["w2"] = rng.standard_normal((4, 2))
    return params, rng.standard_normal((5, 3)), rng.standard_normal((5, 2))

def linear_back(d, x, w):
    return d @ w.T, x.T @ d

def forward(params, x, y):
    h = np.tanh(x @ params["w1"] + params["b1"])
    out = h @ params["w2"]
    return {"h": h, "out": out, "loss": ((out - y) ** 2).sum()}

def backward(params, x, y, values):
    dout = 2 * (values["out"] - y)
    dh, dw2 = linear_back(dout, values["h"], params["w2"])
    dz = dh * (1 - values["h"] ** 2)
    return x.T @ dz, dz.sum(axis=0), dw2
"""


@pytest.fixture
def report_of(tmp_path):
    """Give a function that checks a file, and returns its report."""

    def report(source):
        path = tmp_path / "mine.py"
        path.write_text(source, encoding="utf-8")
        (found,) = check_file(path)
        return found

    return report


def test_all_that_is_returned_is_judged(report_of):
    report = report_of(FILE)
    assert report.verdict == "match", report.error
    assert not any(finding.verdict == "missing" for finding in report.findings)


@pytest.mark.parametrize(
    ("right", "wrong", "line"),
    [
        ("x.T @ dz, dz.sum(axis=0)", "x.T @ dz, dz.mean(axis=0)", "return x.T @ dz, dz.mean"),
        ("x.T @ dz, dz", "-x.T @ dz, dz", "return -x.T @ dz"),
        ("return d @ w.T, x.T @ d", "return d @ w.T, x.T @ d * 2", "return d @ w.T, x.T @ d * 2"),
        ("return d @ w.T, x.T @ d", "return d @ -w.T, x.T @ d", "return d @ -w.T, x.T @ d"),
    ],
)
def test_a_wrong_one_has_the_line_of_its_return(report_of, right, wrong, line):
    changed = FILE.replace(right, wrong)
    assert changed != FILE
    found = [finding for finding in report_of(changed).findings if finding.verdict == "wrong"]
    assert [finding.line.code.startswith(line) for finding in found] == [True], found
