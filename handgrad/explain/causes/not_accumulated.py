"""Of something that is used several times, uses that were left out, or counted twice."""

from handgrad.findings import Cause

KIND = "not-accumulated"
LOOKS_LIKE = "of something used several times, one use counted, or one left out"
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
    (
        "residual",
        "grad_total + grad_h2.dot(w2.T)",
        "grad_total + 2 * grad_h2.dot(w2.T)",
        {"grad_h1_relu": "not-accumulated"},
    ),
]

LISTED = 3  # uses that are named: of more, how many there are


def find(case):
    """Explain a gradient to which what comes back from a use is not added, or is added twice."""
    uses = case.uses()
    shares = {user: case.contributions[user] for user in uses if user in case.contributions}
    where = " and in ".join(f"`{user}`" for user in uses)
    used = f"in {where}" if len(uses) <= LISTED else f"{len(uses)} times"
    for user, share in shares.items():
        if case.fits(case.expected - share):
            return Cause(
                KIND,
                f"`{case.quantity}` is used {used}, but what comes back from `{user}` is not added "
                f"to `{case.name}`.",
            )
        if len(shares) > 2 and case.fits(share):
            return Cause(
                KIND,
                f"`{case.quantity}` is used {used}, but `{case.name}` keeps what comes back from "
                f"`{user}` alone, as if it was assigned, `=`, where it adds up, `+=`.",
            )
        if case.fits(case.expected + share):
            return Cause(KIND, f"`{case.name}` has what comes back from `{user}` twice.")
    return several(case, shares, used)


def several(case, shares, used):
    """Explain a gradient that has what comes back from the first or the last uses only."""
    for names in (list(shares), list(shares)[::-1]):
        total = 0.0
        for count, name in enumerate(names[:-1], 1):
            total = total + shares[name]
            if count > 1 and case.fits(total):
                return Cause(
                    KIND,
                    f"`{case.quantity}` is used {used}, but `{case.name}` has what comes back from "
                    f"{count} of these alone, from `{names[0]}` to `{name}`.",
                )
    return None
