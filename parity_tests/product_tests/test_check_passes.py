"""`check(forward, backward, params, x, y)`: two functions, no reference asked for."""

import numpy as np
import pytest

import handgrad
from handgrad import InputError

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((8, 3)), RNG.standard_normal((8, 1))
PARAMS = {"w1": RNG.standard_normal((3, 4)), "w2": RNG.standard_normal((4, 1))}


def forward(params, x, y):
    h = x @ params["w1"]
    a = np.maximum(h, 0)
    y_pred = a @ params["w2"]
    return {"h": h, "a": a, "y_pred": y_pred, "loss": np.square(y_pred - y).sum()}


def backward(params, x, y, values):
    grad_y_pred = 2 * (values["y_pred"] - y)
    grad_h = grad_y_pred @ params["w2"].T * (values["h"] > 0)
    return {"w1": x.T @ grad_h, "w2": values["a"].T @ grad_y_pred}


def test_right_functions_are_right():
    report = handgrad.check(forward, backward, PARAMS, X, Y)
    assert report.ok
    assert (report.reference, report.variant) == ("forward", "forward")
    verdicts = {f.name: f.verdict for f in report.findings if f.kind == "gradient"}
    assert set(verdicts.values()) == {"match"}
    assert {"grad_y_pred", "grad_h"} < set(verdicts)


def test_a_wrong_line_is_found_in_either_form():
    def wrong(params, x, y, values):
        grad_y_pred = values["y_pred"] - y
        grad_h = grad_y_pred @ params["w2"].T * (values["h"] > 0)
        return {"w1": x.T @ grad_h, "w2": values["a"].T @ grad_y_pred}

    report = handgrad.check(forward=forward, backward=wrong, params=PARAMS, x=X, y=Y)
    assert report.first == "grad_y_pred"
    line = report.findings[-1].line
    assert line is None or line.file.endswith("test_check_passes.py")


def test_parameters_in_a_list_and_no_targets():
    report = handgrad.check(
        lambda params, x: {"loss": ((x @ params[0]) ** 2).sum()},
        lambda params, x: [2 * x.T @ (x @ params[0])],
        [PARAMS["w1"]],
        X,
        None,
    )
    assert report.ok


def test_what_is_no_function_is_said():
    with pytest.raises(InputError, match="backward must be a function, found dict"):
        handgrad.check(forward, {}, PARAMS, X, Y)  # type: ignore[call-overload]
