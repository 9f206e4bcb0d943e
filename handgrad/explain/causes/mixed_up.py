"""A quantity that holds what another one does, or should."""

from handgrad.findings import Cause

KIND = "other-quantity"
LOOKS_LIKE = "or mixed up with one"
EXAMPLES = [
    (
        "three_layer_relu",
        '"grad_h2_relu": grad_h2_relu,\n        "grad_h2": grad_h2',
        '"grad_h2_relu": grad_h2,\n        "grad_h2": grad_h2_relu',
        {"grad_h2_relu": "other-quantity", "grad_h2": "other-quantity"},
    ),
]


def find(case):
    """Explain a quantity that holds what another one does, or should."""
    for name in case.alike():
        if name not in case.data and case.fits(case.steps.expected[name]):
            return Cause(KIND, f"`{case.name}` holds what `{name}` should: are they mixed up?")
        # what was computed from this one may well equal it, and is then none of its causes
        if case.name not in case.steps.inputs(name) and case.fits(case.given(name)):
            return Cause(KIND, f"`{case.name}` equals `{name}`.")
    return None
