"""The negative of what is meant."""

from handgrad.findings import Cause

KIND = "sign"
LOOKS_LIKE = "the negative"
EXAMPLES = [
    ("two_layer_relu", "2.0 * (y_pred - y)", "2.0 * (y - y_pred)", {"grad_y_pred": "sign"}),
    ("two_layer_relu", "x.T.dot(grad_h)", "-x.T.dot(grad_h)", {"grad_w1": "sign"}),
    ("three_layer_relu_bias", '"grad_b1": grad_b1', '"grad_b1": -grad_b1', {"grad_b1": "sign"}),
    (
        "softmax_cross_entropy",
        "softmax(scores) - (k == y[:, np.newaxis])",
        "(k == y[:, np.newaxis]) - softmax(scores)",
        {"grad_scores": "sign"},
    ),
]


def find(case):
    """Explain an array that is the negative of the right one."""
    if not case.fits(-case.expected):
        return None
    return Cause(KIND, f"`{case.name}` has the wrong sign: it is the negative of what is meant.")
