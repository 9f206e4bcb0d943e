"""A sum that was averaged, or a mean that was summed."""

from handgrad.explain.ratio import meanings, ratio_of
from handgrad.findings import Cause

KIND = "mean-sum"
LOOKS_LIKE = "a loss or a bias gradient averaged where the sum is meant, or the reverse"
EXAMPLES = [
    (
        "two_layer_relu",
        "np.square(y_pred - y).sum()",
        "np.square(y_pred - y).mean()",
        {"loss": "mean-sum"},
    ),
    (
        "three_layer_relu_bias",
        "grad_h2.sum(axis=0)",
        "grad_h2.mean(axis=0)",
        {"grad_b2": "mean-sum"},
    ),
    (
        "softmax_cross_entropy",
        "(log_sum_exp(scores) - scores[np.arange(len(y)), y]).sum()",
        "(log_sum_exp(scores) - scores[np.arange(len(y)), y]).mean()",
        {"loss": "mean-sum"},
    ),
    (
        "layer_norm",
        "grad_h1_norm.sum(axis=0)",
        "grad_h1_norm.mean(axis=0)",
        {"grad_beta": "mean-sum"},
    ),
]


def find(case):
    """Explain a loss or a bias gradient with a mean where a sum is meant, or the reverse."""
    is_bias = case.is_parameter(case.quantity) and case.expected.ndim == 1
    if case.name != "loss" and not is_bias:
        return None
    found = meanings(case, ratio_of(case))
    if len(found) != 1:
        return None
    what, over = found[0]
    if over not in (("the rows",) if is_bias else ("the rows", "the columns", "all entries")):
        return None  # a 2 counts nothing, and no bias is summed over the columns
    if what.startswith("1/"):
        text = f"is the mean over {over}, where the sum is meant: it is {what} of it."
    else:
        text = f"is the sum over {over}, where the mean is meant: {what} times it."
    return Cause(KIND, f"`{case.name}` {text}")
