"""What a wrong quantity may be wrong by: each cause is a file, and they are asked in order.

An explanation is exact: it names another array (the negative, the transpose, what the step
gives from another input) and that array has to be the hand-written one, up to rounding. A
guess that could be another is worse than `unknown`, so a difference too small to tell one
explanation from another gets none.

A file of a cause has its KIND, which reports show, its part of the line that the README's table
has for this kind, mistakes that the tests plant for it (a network, a line's part, what stands
there instead, and for each quantity that is then wrong the kind of its cause), and
`find(case)`, which returns a Cause, or None where it is another one.
"""

import re
from types import ModuleType

from handgrad.explain.case import Case
from handgrad.explain.causes import (
    arranged,
    assigned_rows,
    changed_in_place,
    clipped,
    elements,
    factor,
    mean_sum,
    missing_derivative,
    missing_step,
    mixed_up,
    narrow_input,
    negated_use,
    norm_step,
    not_accumulated,
    not_finite,
    other_factor,
    other_input,
    penalty,
    precision,
    row_left_out,
    shape,
    sign,
    softmax_step,
    stale_weight,
    transposed,
    unknown,
    unreached,
    with_array,
    wrong_derivative,
    wrong_target,
    zero,
)

IN_ORDER: tuple[ModuleType, ...] = (
    unreached,
    shape,
    not_finite,
    precision,
    sign,
    mean_sum,
    factor,
    transposed,
    penalty,
    clipped,
    assigned_rows,
    wrong_target,
    softmax_step,
    norm_step,
    missing_derivative,
    wrong_derivative,
    negated_use,
    not_accumulated,
    row_left_out,
    zero,
    changed_in_place,
    missing_step,
    other_factor,
    arranged,
    other_input,
    mixed_up,
    stale_weight,
    narrow_input,
    with_array,
    elements,
    unknown,
)

# These can be told from all others however small the difference is.
AT_ANY_SIZE = (unreached, shape, not_finite, precision, unknown)


def explain(steps, name):
    """Return the Cause of a quantity that is wrong: the first that holds down to the tolerance."""
    case = Case(steps, name)
    for cause in IN_ORDER:
        if (cause in AT_ANY_SIZE or case.is_telling) and (found := cause.find(case)):
            return found._replace(message=worded(found.message))
    raise AssertionError("`unknown` explains what nothing else does")


def worded(message):
    """Say of what has no name what its gradient is called."""
    return re.sub(r"`(result\[\d+\])`", r"the value behind `grad_\1`", message)
