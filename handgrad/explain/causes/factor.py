"""A constant times what is meant."""

import numpy as np

from handgrad.explain.ratio import meanings, ratio_of
from handgrad.explain.thresholds import ENTRIES_FOR_A_FIT, TELLING
from handgrad.findings import Cause

KIND = "factor"
LOOKS_LIKE = "a constant times what is meant: 2, 1/2, n, 1/n, n x d_out"
EXAMPLES = [
    ("two_layer_relu", "2.0 * (y_pred - y)", "(y_pred - y)", {"grad_y_pred": "factor"}),
    (
        "two_layer_relu",
        "2.0 * (y_pred - y)",
        "2.0 * (y_pred - y) / len(y)",
        {"grad_y_pred": "factor"},
    ),
    (
        "two_layer_relu",
        "np.square(y_pred - y).sum()",
        "np.square(y_pred - y).sum() / 2",
        {"loss": "factor"},
    ),
    (
        "three_layer_relu",
        "h1_relu.T.dot(grad_h2)",
        "h1_relu.T.dot(grad_h2) / len(x)",
        {"grad_w2": "factor"},
    ),
    (
        "three_layer_relu",
        "h1_relu.T.dot(grad_h2)",
        "len(x) * h1_relu.T.dot(grad_h2)",
        {"grad_w2": "factor"},
    ),
    ("three_layer_sigmoid_bias", "x.T.dot(grad_h1)", "2 * x.T.dot(grad_h1)", {"grad_w1": "factor"}),
    (
        "residual",
        "grad_total + grad_h2.dot(w2.T)",
        "grad_h2.dot(w2.T); grad_h1_relu += grad_total; grad_total = grad_total * 2",
        {"grad_total": "factor"},
    ),
    (
        "softmax_cross_entropy",
        "softmax(scores) - (k == y[:, np.newaxis])",
        "(softmax(scores) - (k == y[:, np.newaxis])) / len(y)",
        {"grad_scores": "factor"},
    ),
]


def find(case):
    """Explain a constant factor, with its meaning where it has one."""
    ratio = ratio_of(case)
    if found := meanings(case, ratio):
        return Cause(KIND, f"`{case.name}` is {reading(found)}.")
    not_0 = np.abs(case.expected) > TELLING * case.tolerance
    if ratio is None or not_0.sum() < ENTRIES_FOR_A_FIT:
        return None
    return Cause(KIND, f"`{case.name}` is {ratio:.10g} times what is meant, in each entry.")


def reading(found):
    """Say which factor it is and, where several are the same number here, which all may be."""
    (factor, over), *others = found
    text = f"{factor}{f' ({over})' * bool(over)} times what is meant"
    if not others:
        return text
    same = " and ".join(f"{other} ({over})" for other, over in others)
    return f"{text}, which here is also {same} times"
