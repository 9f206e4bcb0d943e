"""Why is a wrong quantity wrong? The first explanation that holds down to the tolerance.

An explanation is exact: it names another array (the negative, the transpose, what the step
gives from another input) and that array has to be the hand-written one, up to rounding. A
guess that could be another is worse than `unknown`, so a difference too small to tell one
explanation from another gets none.
"""

from handgrad.explain.causes import recomputed, scales, shapes
from handgrad.explain.case import Case

TELLING = 10  # times its tolerance is how large a difference must be to be explained

IN_ORDER = (
    scales.sign,
    scales.mean_sum,
    scales.factor,
    scales.transposed,
    recomputed.missing_derivative,
    recomputed.wrong_derivative,
    recomputed.not_accumulated,
    scales.zero,
    recomputed.same_as,
    recomputed.other_input,
    recomputed.other_name,
    recomputed.stale_weight,
    recomputed.narrow_input,
    shapes.elements,
)


def explain(steps, name):
    """Return the Cause of a quantity that is wrong."""
    case = Case(steps, name)
    for find in (shapes.shape, shapes.nonfinite, shapes.precision):
        if cause := find(case):
            return cause
    if abs(case.ours - case.theirs).max() > TELLING * case.allowed:
        for find in IN_ORDER:
            if cause := find(case):
                return cause
    return shapes.unknown(case)
