"""A quantity that is one of its own inputs, as it came."""

from handgrad.explain.wording import described
from handgrad.findings import Cause

KIND = "other-quantity"
LOOKS_LIKE = "one of its inputs unchanged"
EXAMPLES = [
    ("two_layer_relu", "h_relu = np.maximum(h, 0)", "h_relu = h", {"h_relu": "other-quantity"}),
    ("residual", "total = h1_relu + h2", "total = h2", {"total": "other-quantity"}),
]


def find(case):
    """Explain a quantity that equals one of its own inputs."""
    for name in case.alike():
        if name in case.steps.inputs(case.name) and case.fits(case.given(name)):
            step = "the step" if case.is_gradient else described(case.module(case.name))
            return Cause(KIND, f"`{case.name}` equals `{name}`: {step} between them is missing.")
    return None
