"""A square array the other way round: no shape tells."""

from handgrad.findings import Cause

KIND = "transposed"
LOOKS_LIKE = "a square array, or one it was computed from, the other way round"
EXAMPLES = [
    (
        "three_layer_relu",
        "h1_relu.T.dot(grad_h2)",
        "h1_relu.T.dot(grad_h2).T",
        {"grad_w2": "transposed"},
    ),
    ("three_layer_relu", "grad_h2.dot(w2.T)", "grad_h2.dot(w2)", {"grad_h1_relu": "transposed"}),
    ("three_layer_relu", "h1_relu.dot(w2)", "h1_relu.dot(w2.T)", {"h2": "transposed"}),
    ("residual", "grad_h2.dot(w2.T)", "grad_h2.dot(w2)", {"grad_h1_relu": "transposed"}),
]


def find(case):
    """Explain a square array that is transposed, or was computed from one that is."""
    if case.actual.ndim == 2 and case.fits(case.expected.T):
        return Cause(KIND, f"`{case.name}` is transposed: it is square, so nothing broke.")
    for name in case.inputs():
        array = case.given(name)
        is_square = array.ndim >= 2 and array.shape[-1] == array.shape[-2] > 1
        if is_square and case.fits(case.recompute({name: array.swapaxes(-1, -2)})):
            return Cause(
                KIND,
                f"`{case.name}` is computed with `{name}` the other way round: {what(array)} is "
                "missing or too many (it is square, so nothing broke).",
            )
    return None


def what(array):
    """Name the transposition of an array's last two axes."""
    return "a `.T`" if array.ndim == 2 else "a transposition of its last two axes"
