"""A constant multiple that intermediate gradients carry, and later lines take out again.

`dZ = A - Y`, then `dW = dZ.T @ X / m`: each gradient of a value is m times the slope of the loss,
and those of the parameters are its slopes. That is a convention and no mistake, if the multiple is
one count (of rows, of entries, the 2 of a square), the same for all entries and all gradients that
are computed from each other, and if the gradient of a parameter takes it out. A parameter's
gradient that does not is wrong: it is no slope of the loss.
"""

from dataclasses import replace

import numpy as np

from handgrad.findings import Cause


def is_same(one, other, steps):
    """Say whether two multiples are one: half of the digits agree."""
    return abs(one - other) <= steps.precision.eps**0.5 * abs(other)


def with_conventions(found, whole, steps):
    """Return Findings with `scaled` for the gradients that carry a multiple.

    `found` are those of the steps, settled, `whole` those of the whole run by name.
    """
    given = [f for f in found if f.actual is not None and f.name in whole]
    gradients = {finding.name: finding for finding in given if finding.kind == "gradient"}
    if all(finding.verdict != "wrong" for finding in gradients.values()):
        return found
    multiples, parameters = multiples_of(whole, steps), steps.network.params.keys()
    carried: dict[str, float] = {}  # by gradients that are a multiple of what is right, or wrong
    result = {finding.name: finding for finding in found}
    for group in groups(multiples, steps):
        c = multiples[next(iter(group))]
        users = [name for name in gradients if steps.inputs(name) & group - {name}]
        takers = [n for n in users if whole[n].verdict == "match" and takes_out(steps, n, c)]
        if {name.removeprefix("grad_") for name in takers} & parameters:
            carried |= dict.fromkeys(group, c)
            result |= {n: scaled(whole[n], c, gradients[n], takers) for n in group & set(gradients)}
    for name, finding in gradients.items():
        upstream = [carried[other] for other in steps.inputs(name) if other in carried]
        if upstream and name not in carried:
            result[name] = beyond(finding, whole[name], upstream[0], multiples, steps)
            if result[name].verdict == "wrong" and name.removeprefix("grad_") not in parameters:
                carried[name] = upstream[0]
    return [result[finding.name] for finding in found]


def beyond(finding, whole, c, multiples, steps):
    """Return the Finding on a gradient that is computed from one with a multiple."""
    name = finding.name
    if takes_out(steps, name, c):
        return whole if whole.verdict == "match" else replace(whole, verdict="inherited")
    is_parameter = name.removeprefix("grad_") in steps.network.params
    known = any(other in multiples for other in steps.inputs(name))
    if is_parameter and known and finding.verdict == "inherited":
        message = (
            f"`{name}` is computed from a gradient that is {c:.6g} times the slope of the loss, "
            "and does not take that out."
        )
        return replace(whole, verdict="wrong", cause=Cause("factor", message))
    return finding


def is_count(c, steps):
    """Say whether a number is a whole one, or 1 over a whole one, or twice that; but not 1."""
    if c <= 0 or is_same(c, 1.0, steps):
        return False
    return any(n > 0.5 and is_same(n, round(n), steps) for n in (c, 1 / c, 2 / c))


def takes_out(steps, name, c):
    """Say whether a gradient is 1 / c times what its step gives."""
    actual, expected = (np.asarray(a[name], np.float64) for a in (steps.actual, steps.expected))
    if actual.shape != expected.shape:
        return False
    found = multiple(expected, actual, steps.tolerance(name), steps)
    return found is not None and is_same(found, c, steps)


def multiples_of(whole, steps):
    """Return for each gradient of a value the number that it is of what is right, where not 1."""
    result = {}
    for name, finding in whole.items():
        if not name.startswith("grad_") or name.removeprefix("grad_") in steps.network.params:
            continue
        array = steps.value(name)
        if finding.verdict == "match" or array is None:
            continue
        if array.shape == finding.expected.shape:
            c = multiple(np.asarray(array, np.float64), finding.expected, finding.tolerance, steps)
            if c is not None:
                result[name] = c
    return result


def multiple(actual, expected, tolerance, steps):
    """Return the count that an array is of another, within tolerance; None if 1, or none."""
    expected = np.asarray(expected, np.float64)
    square = float((expected * expected).sum())
    if not square or not np.isfinite(square) or not np.isfinite(actual).all():
        return None
    c = float((actual * expected).sum()) / square
    if not is_count(c, steps):
        return None
    return c if (np.abs(actual - c * expected) <= abs(c) * tolerance).all() else None


def groups(multiples, steps):
    """Return the sets of gradients that are computed from each other and carry one multiple."""
    result: list[set[str]] = []
    for name, c in multiples.items():
        group, others = {name}, []
        for other in result:
            touches = any(
                is_same(multiples[one], c, steps)
                and (one in steps.inputs(name) or name in steps.inputs(one))
                for one in other
            )
            if touches:
                group |= other
            else:
                others.append(other)
        result = [*others, group]
    return result


def scaled(whole, c, step, takers):
    """Return the Finding on a gradient that carries a multiple, which is taken out later."""
    cause = None
    if step.verdict == "wrong":  # the first of its chain
        names = ", ".join(f"`{name}`" for name in takers)
        cause = Cause(
            "scaled",
            f"`{whole.name}` is {c:.6g} times the slope of the loss, a convention: {names} "
            f"take{'s' * (len(takers) == 1)} it out again.",
        )
    apart = np.abs(np.asarray(whole.actual, np.float64) / c - whole.expected)
    difference = float(apart.max(initial=0.0))
    ratio = difference / whole.tolerance if whole.tolerance else 0.0
    return replace(whole, difference=difference, ratio=ratio, verdict="scaled", cause=cause)
