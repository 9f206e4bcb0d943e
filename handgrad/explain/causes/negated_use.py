"""Of something that is used twice, one use that comes back negated."""

from handgrad.findings import Cause

KIND = "sign"
LOOKS_LIKE = "or one of two uses subtracted"
EXAMPLES = [
    (
        "residual",
        "grad_total + grad_h2.dot(w2.T)",
        "grad_total - grad_h2.dot(w2.T)",
        {"grad_h1_relu": "sign"},
    ),
]


def find(case):
    """Explain a gradient in which what comes back from one use is subtracted."""
    for user in case.uses():
        if user in case.contributions and case.fits(case.expected - 2 * case.contributions[user]):
            return Cause(
                KIND, f"In `{case.name}`, what comes back from `{user}` has the wrong sign."
            )
    return None
