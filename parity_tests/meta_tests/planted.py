"""Mistakes to plant in correct derivations, one line each, and what must be said of them."""

import importlib
import inspect
from pathlib import Path

import numpy as np

from handgrad.load import gallery as variants
from handgrad.load.file import check_module

OWN = ("residual", "shared_weight", "softmax_cross_entropy", "layer_norm")

# For each network: a line's part, what stands there instead, and the cause of each quantity
# that is then wrong. All others are right or inherited.
PLANTED = {
    "two_layer_relu": [
        ("2.0 * (y_pred - y)", "2.0 * (y - y_pred)", {"grad_y_pred": "sign"}),
        ("2.0 * (y_pred - y)", "(y_pred - y)", {"grad_y_pred": "factor"}),
        ("2.0 * (y_pred - y)", "2.0 * (y_pred - y) / len(y)", {"grad_y_pred": "factor"}),
        ("h_relu.T.dot(grad_y_pred)", "h.T.dot(grad_y_pred)", {"grad_w2": "other-quantity"}),
        ("grad_h_relu * (h > 0)", "grad_h_relu", {"grad_h": "missing-derivative"}),
        ("grad_h_relu * (h > 0)", "grad_h_relu * (h < 0)", {"grad_h": "wrong-derivative"}),
        ("x.T.dot(grad_h)", "x.T.dot(grad_h_relu)", {"grad_w1": "other-quantity"}),
        ("x.T.dot(grad_h)", "-x.T.dot(grad_h)", {"grad_w1": "sign"}),
        ("h_relu = np.maximum(h, 0)", "h_relu = np.minimum(h, 0)", {"h_relu": "unknown"}),
        ("h_relu = np.maximum(h, 0)", "h_relu = h", {"h_relu": "other-quantity"}),
        ("np.square(y_pred - y).sum()", "np.square(y_pred - y).mean()", {"loss": "mean-sum"}),
        ("np.square(y_pred - y).sum()", "np.square(y_pred - y).sum() / 2", {"loss": "factor"}),
        (
            "np.square(y_pred - y).sum()",
            "np.square(y_pred - y[:, 0]).sum()",
            {"loss": "unknown"},
        ),
        (
            "grad_h = grad_h_relu * (h > 0)",
            "grad_h = grad_h_relu; grad_h[h < 0] = 0",
            {"grad_h_relu": "other-quantity"},
        ),
        (
            "h_relu = np.maximum(h, 0)",
            "h_relu = np.maximum(h, 0, out=h)",
            {"h": "other-quantity"},
        ),
        (
            "grad_y_pred.dot(w2.T)",
            "grad_y_pred.dot((w2 - 1e-3 * grad_w2).T)",
            {"grad_h_relu": "stale-weight"},
        ),
        ("h = x.dot(w1)", "h = x.astype(np.float32).dot(w1)", {"h": "precision"}),
        ("h = x.dot(w1)", "h = x.dot(w1).astype(np.float32)", {"h": "precision"}),
        ("h = x.dot(w1)", "h = x.astype(int).dot(w1)", {"h": "precision"}),
        ('"grad_w1": grad_w1', '"grad_w1": grad_w1.T', {"grad_w1": "shape"}),
        (
            '"grad_w1": grad_w1',
            '"grad_w1": grad_w1 + 0.1 * np.eye(*grad_w1.shape, k=3) * (x[0, 0] != 0)',
            {"grad_w1": "elements"},
        ),
    ],
    "three_layer_relu": [
        ("h1_relu.T.dot(grad_h2)", "h1_relu.T.dot(grad_h2).T", {"grad_w2": "transposed"}),
        ("grad_h2.dot(w2.T)", "grad_h2.dot(w2)", {"grad_h1_relu": "transposed"}),
        ("h1_relu.dot(w2)", "h1_relu.dot(w2.T)", {"h2": "transposed"}),
        ("grad_h2_relu * (h2 > 0)", "grad_h2_relu * (h1 > 0)", {"grad_h2": "other-quantity"}),
        ("grad_h1_relu * (h1 > 0)", "grad_h1_relu * (h2 > 0)", {"grad_h1": "other-quantity"}),
        ("grad_h1_relu * (h1 > 0)", "grad_h2_relu * (h1 > 0)", {"grad_h1": "other-quantity"}),
        (
            "h2_relu = np.maximum(h2, 0)",
            "h2_relu = np.maximum(h1, 0)",
            {"h2_relu": "other-quantity"},
        ),
        ("h2_relu.T.dot(grad_y_pred)", "h1_relu.T.dot(grad_y_pred)", {"grad_w3": "other-quantity"}),
        ("h1_relu.T.dot(grad_h2)", "h1_relu.T.dot(grad_h2) / len(x)", {"grad_w2": "factor"}),
        ("h1_relu.T.dot(grad_h2)", "len(x) * h1_relu.T.dot(grad_h2)", {"grad_w2": "factor"}),
        ("x.T.dot(grad_h1)", "x[:-1].T.dot(grad_h1[:-1])", {"grad_w1": "unknown"}),
        ("grad_y_pred.dot(w3.T)", "grad_y_pred.dot(w3.T) * 0", {"grad_h2_relu": "factor"}),
        (
            '"grad_h1": grad_h1',
            '"grad_h1": np.where(grad_h1 == grad_h1.max(), np.nan, grad_h1)',
            {"grad_h1": "nonfinite"},
        ),
        (
            '"grad_h2_relu": grad_h2_relu,\n        "grad_h2": grad_h2',
            '"grad_h2_relu": grad_h2,\n        "grad_h2": grad_h2_relu',
            {"grad_h2_relu": "other-quantity", "grad_h2": "other-quantity"},
        ),
    ],
    "three_layer_relu_bias": [
        ("grad_b2 = grad_h2.sum(axis=0)", "grad_b2 = grad_h2", {"grad_b2": "shape"}),
        ("grad_h2.sum(axis=0)", "grad_h2.mean(axis=0)", {"grad_b2": "mean-sum"}),
        ("grad_h2.sum(axis=0)", "grad_h2.sum(axis=0)[:, None]", {"grad_b2": "shape"}),
        ("grad_h2.sum(axis=0)", "grad_h2_relu.sum(axis=0)", {"grad_b2": "other-quantity"}),
        ("grad_h1.sum(axis=0)", "grad_h2.sum(axis=0)", {"grad_b1": "other-quantity"}),
        ("grad_y_pred.sum(axis=0)", "grad_y_pred.sum()", {"grad_b3": "shape"}),
        ("h1_relu.dot(w2) + b2", "h1_relu.dot(w2)", {"h2": "other-quantity"}),
        ("h1_relu.dot(w2) + b2", "h1_relu.dot(w2) - b2", {"h2": "unknown"}),
        ("h1_relu.dot(w2) + b2", "h1_relu.dot(w2) + b1", {"h2": "other-quantity"}),
        ("h2_relu.dot(w3) + b3", "2 * h2_relu.dot(w3) + b3", {"y_pred": "unknown"}),
        ('"grad_b1": grad_b1', '"grad_b1": -grad_b1', {"grad_b1": "sign"}),
        (
            '"grad_b2": grad_b2',
            '"grad_b2": grad_h1.sum(axis=0)',
            {"grad_b2": "other-quantity"},
        ),
        (
            "grad_h1_relu * (h1 > 0)",
            "grad_h1_relu.astype(np.float32) * (h1 > 0)",
            {"grad_h1": "precision"},
        ),
        ('"grad_w2": grad_w2', '"grad_w2": np.trunc(grad_w2)', {"grad_w2": "precision"}),
        ('"grad_w2": grad_w2', '"grad_w2": grad_w2.astype(int)', {"grad_w2": "precision"}),
        (
            "grad_h2.dot(w2.T)",
            "grad_h2.dot((w2 - 1e-4 * grad_w2).T)",
            {"grad_h1_relu": "stale-weight"},
        ),
    ],
    "three_layer_sigmoid_bias": [
        ("h2_sigm = sigmoid(h2)", "h2_sigm = sigmoid(h1)", {"h2_sigm": "other-quantity"}),
        ("h2_sigm = sigmoid(h2)", "h2_sigm = np.tanh(h2)", {"h2_sigm": "unknown"}),
        ("h1_sigm = sigmoid(h1)", "h1_sigm = sigmoid(-h1)", {"h1_sigm": "unknown"}),
        (
            "grad_h2_sigm * h2_sigm * (1 - h2_sigm)",
            "grad_h2_sigm",
            {"grad_h2": "missing-derivative"},
        ),
        (
            "grad_h2_sigm * h2_sigm * (1 - h2_sigm)",
            'grad_h2_sigm * values["h2"] * (1 - values["h2"])',
            {"grad_h2": "wrong-derivative"},
        ),
        (
            "grad_h2_sigm * h2_sigm * (1 - h2_sigm)",
            "grad_h2_sigm * sigmoid(h2_sigm) * (1 - sigmoid(h2_sigm))",
            {"grad_h2": "wrong-derivative"},
        ),
        (
            "grad_h2_sigm * h2_sigm * (1 - h2_sigm)",
            "grad_h2_sigm * h2_sigm",
            {"grad_h2": "wrong-derivative"},
        ),
        (
            "grad_h1_sigm * h1_sigm * (1 - h1_sigm)",
            "grad_h1_sigm * (1 - h1_sigm)",
            {"grad_h1": "wrong-derivative"},
        ),
        (
            "grad_h2_sigm * h2_sigm * (1 - h2_sigm)",
            "grad_h2_sigm * h1_sigm * (1 - h1_sigm)",
            {"grad_h2": "other-quantity"},
        ),
        ("h1_sigm.T.dot(grad_h2)", "h2_sigm.T.dot(grad_h2)", {"grad_w2": "other-quantity"}),
        ("x.T.dot(grad_h1)", "2 * x.T.dot(grad_h1)", {"grad_w1": "factor"}),
    ],
    "residual": [
        ("grad_total + grad_h2 @ w2.T", "grad_total", {"grad_h1_relu": "not-accumulated"}),
        ("grad_total + grad_h2 @ w2.T", "grad_h2 @ w2.T", {"grad_h1_relu": "not-accumulated"}),
        ("grad_total + grad_h2 @ w2.T", "grad_total - grad_h2 @ w2.T", {"grad_h1_relu": "sign"}),
        ("grad_h2 @ w2.T", "grad_h2 @ w2", {"grad_h1_relu": "transposed"}),
        ("total = h1_relu + h2", "total = h2", {"total": "other-quantity"}),
        ("grad_h2 = grad_total.copy()", "grad_h2 = grad_total * 0", {"grad_h2": "factor"}),
        ("h1_relu.T @ grad_h2", "total.T @ grad_h2", {"grad_w2": "other-quantity"}),
        (
            "grad_total + grad_h2 @ w2.T",
            "grad_h2.dot(w2.T); grad_h1_relu += grad_total; grad_total *= 2",
            {"grad_total": "factor"},
        ),
    ],
    "shared_weight": [
        (
            "h2_tanh.T @ grad_h3 + h1_tanh.T @ grad_h2",
            "h2_tanh.T @ grad_h3",
            {"grad_w2": "not-accumulated"},
        ),
        (
            "h2_tanh.T @ grad_h3 + h1_tanh.T @ grad_h2",
            "h1_tanh.T @ grad_h2",
            {"grad_w2": "not-accumulated"},
        ),
        (
            "grad_h3_tanh * (1 - h3_tanh**2)",
            'grad_h3_tanh * (1 - values["h3"] ** 2)',
            {"grad_h3": "wrong-derivative"},
        ),
        (
            "grad_h2_tanh * (1 - h2_tanh**2)",
            "grad_h2_tanh * (1 - h3_tanh**2)",
            {"grad_h2": "other-quantity"},
        ),
    ],
    "softmax_cross_entropy": [
        ("softmax(scores) - picked", "picked - softmax(scores)", {"grad_scores": "sign"}),
        (
            "softmax(scores) - picked",
            "(softmax(scores) - picked) / len(y)",
            {"grad_scores": "factor"},
        ),
        ("softmax(scores) - picked", "softmax(scores)", {"grad_scores": "unknown"}),
        ("(log_sum - scores[np.arange(len(y)), y]).sum()", "log_sum.sum()", {"loss": "unknown"}),
        (
            "(log_sum - scores[np.arange(len(y)), y]).sum()",
            "(log_sum - scores[np.arange(len(y)), y]).mean()",
            {"loss": "mean-sum"},
        ),
        ("grad_h1_relu * (h1 > 0)", "grad_h1_relu", {"grad_h1": "missing-derivative"}),
        ("h1_relu.T @ grad_scores", "h1.T @ grad_scores", {"grad_w2": "other-quantity"}),
    ],
    "layer_norm": [
        (
            "- grad_unit.mean(axis=1, keepdims=True)\n",
            "\n",
            {"grad_h1": "unknown"},
        ),
        (
            "grad_unit = grad_h1_norm * gamma",
            "grad_unit = grad_h1_norm",
            {"grad_h1": "unknown"},
        ),
        ("grad_h1_norm.sum(axis=0)", "grad_h1_norm.mean(axis=0)", {"grad_beta": "mean-sum"}),
        (
            "(grad_h1_norm * unit).sum(axis=0)",
            "(grad_h1_norm * h1).sum(axis=0)",
            {"grad_gamma": "unknown"},
        ),
        (
            "h1_sigm.T @ grad_y_pred",
            'values["h1_norm"].T @ grad_y_pred',
            {"grad_w2": "other-quantity"},
        ),
    ],
}


# The second is the right slope of what the first computes, so the numbers show the first alone.
HIDDEN = [
    ("h2_relu = np.maximum(h1, 0)", "grad_h2_relu * (h1 > 0)"),
    ("h2_sigm = sigmoid(h1)", "grad_h2_sigm * h1_sigm * (1 - h1_sigm)"),
    ("h_relu = np.maximum(h, 0, out=h)", "grad_h_relu"),
]


def source_of(network):
    """Return a network's code, without its docstring, and what else its check needs."""
    if network in OWN:
        module = importlib.import_module(f"parity_tests.meta_tests.networks.{network}")
        extra = {}
    else:
        module = variants.manual_side(network)
        torch_side = variants.torch_side(network)
        extra = {"reference": torch_side.Net, "loss": torch_side.loss_fn}
    source = inspect.getsource(module)
    return source[source.index("import numpy") :], extra


def check_planted(network, *changes):
    """Check a network with some of its lines changed: pairs of old and new."""
    source, namespace = planted_source(network, *changes)
    exec(source, namespace)
    return check_module(namespace, Path(network))


def wrong_of(report):
    """Return the quantities that a report calls wrong, each with the kind of its cause."""
    return {f.name: f.cause.kind for f in report.findings if f.verdict == "wrong"}


def draw_several(rng):
    """Draw two or three mistakes of one network in different lines and quantities, or None.

    A mistake that another one hides (what is multiplied by 0 afterwards, an index into two
    arrays that have become equal, those of HIDDEN) cannot be seen by anybody: None as well.
    """
    network = rng.choice(list(PLANTED))
    chosen = rng.sample(PLANTED[network], rng.choice((2, 3)))
    lines = [old for old, _, _ in chosen]
    names = [name for _, _, wrong in chosen for name in wrong]
    if any(a in b for a in lines for b in lines if a is not b) or len(set(names)) < len(names):
        return None
    changes = [(old, new) for old, new, _ in chosen]
    if any({a, b} <= {new for _, new in changes} for a, b in HIDDEN):
        return None
    try:
        together = run_planted(network, *changes)
        for change, (_, _, wrong) in zip(changes, chosen, strict=True):
            without = run_planted(network, *[other for other in changes if other != change])
            if any(np.array_equal(together[name], without[name], equal_nan=True) for name in wrong):
                return None
    except (AssertionError, ValueError):  # a line that is gone, shapes that do not fit
        return None
    return network, changes, {name: kind for _, _, wrong in chosen for name, kind in wrong.items()}


def planted_source(network, *changes):
    """Return a network's code with some of its lines changed, and what its check needs."""
    source, namespace = source_of(network)
    for old, new in changes:
        assert source.count(old) >= 1, old
        source = source.replace(old, new, 1)
    return source, namespace


def run_planted(network, *changes):
    """Return the hand-written trace of a network with some of its lines changed."""
    source, namespace = planted_source(network, *changes)
    exec(source, namespace)
    params, x, y = namespace["init"](np.random.default_rng(0))
    values = namespace["forward"](params, x, y)
    return {**values, **namespace["backward"](params, x, y, values)}
