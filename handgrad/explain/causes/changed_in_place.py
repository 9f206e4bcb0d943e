"""A quantity that was overwritten by what was computed from it."""

from handgrad.findings import Cause

KIND = "other-quantity"
LOOKS_LIKE = "changed in place"
EXAMPLES = [
    (
        "two_layer_relu",
        "grad_h = grad_h_relu * (h > 0)",
        "grad_h = grad_h_relu; grad_h[h < 0] = 0",
        {"grad_h_relu": "other-quantity"},
    ),
    (
        "two_layer_relu",
        "h_relu = np.maximum(h, 0)",
        "h_relu = np.maximum(h, 0, out=h)",
        {"h": "other-quantity"},
    ),
]


def find(case):
    """Explain a quantity that equals what was computed from it."""
    for name in case.alike():
        if not case.fits(case.given(name)) or case.name not in case.steps.inputs(name):
            continue
        if case.fits(case.of(name).recompute({case.name: case.expected})):
            return Cause(
                KIND,
                f"`{case.name}` equals `{name}`, which is computed from it, as if it was changed "
                "in place: take a copy first.",
            )
    return None
