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
        if name in case.data:
            continue
        if case.is_right(case.given(name)) and is_swapped(case, name):
            return Cause(KIND, f"`{case.name}` and `{name}` hold each other's numbers.")
        # what is computed from a wrong quantity may well be equal to it
        if case.fits(case.steps.expected[name]) and not case.follows(name):
            return Cause(KIND, f"`{case.name}` holds what `{name}` should: are they mixed up?")
    return None


def is_swapped(case, name):
    """Say whether a quantity is what another one is, where this one is right."""
    return case.fits(case.of(name).recompute({case.name: case.expected}))
