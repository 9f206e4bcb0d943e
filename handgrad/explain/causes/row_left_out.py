"""A sum over the rows that leaves out the first or the last."""

from handgrad.findings import Cause

KIND = "not-accumulated"
LOOKS_LIKE = "the first or the last row left out of a sum"
EXAMPLES = [
    (
        "three_layer_relu",
        "x.T.dot(grad_h1)",
        "x[:-1].T.dot(grad_h1[:-1])",
        {"grad_w1": "not-accumulated"},
    ),
]


def find(case):
    """Explain a parameter's gradient that is right without one row of what comes in."""
    users = case.uses_but_the_loss()
    if len(users) != 1 or not case.is_parameter(case.quantity):
        return None
    came = case.given(f"grad_{users[0]}")
    if came.ndim < 1 or len(came) < 2:
        return None
    for row, what in ((-1, "last"), (0, "first")):
        less = came.copy()
        less[row] = 0
        if case.fits(case.recompute({f"grad_{users[0]}": less})):
            return Cause(KIND, f"`{case.name}` leaves out the {what} row of `grad_{users[0]}`.")
    return None
