"""Of something that is used twice, one use that was left out."""

import numpy as np

from handgrad.findings import Cause

KIND = "not-accumulated"
LOOKS_LIKE = "of something used twice, one use counted"
EXAMPLES = [
    (
        "residual",
        "grad_total + grad_h2.dot(w2.T)",
        "grad_total",
        {"grad_h1_relu": "not-accumulated"},
    ),
    (
        "residual",
        "grad_total + grad_h2.dot(w2.T)",
        "grad_h2.dot(w2.T)",
        {"grad_h1_relu": "not-accumulated"},
    ),
    (
        "shared_weight",
        "h2_tanh.T.dot(grad_h3) + h1_tanh.T.dot(grad_h2)",
        "h2_tanh.T.dot(grad_h3)",
        {"grad_w2": "not-accumulated"},
    ),
    (
        "shared_weight",
        "h2_tanh.T.dot(grad_h3) + h1_tanh.T.dot(grad_h2)",
        "h1_tanh.T.dot(grad_h2)",
        {"grad_w2": "not-accumulated"},
    ),
]


def find(case):
    """Explain a gradient to which what comes back from one use is not added."""
    users = case.uses()
    for user in users:
        gradient = f"grad_{user}"
        if case.fits(case.recompute({gradient: np.zeros_like(case.given(gradient))})):
            return Cause(
                KIND,
                f"`{case.quantity}` is used in {' and in '.join(f'`{u}`' for u in users)}, but "
                f"what comes back from `{user}` is not added to `{case.name}`.",
            )
    return None
