"""A gradient that a backward pass calls two things: `dh = dh_relu` is that of both."""

from dataclasses import replace

from handgrad.load.pairing import Array, candidates, groups


def with_aliases(pairs, grads, values):
    """Return pairs of a value's `at` and its gradient, with those of another name added.

    What is assigned to another name as it is has a line for each, and is judged as each: where the
    derivative of an activation was left out, the second line is the wrong one.
    """
    known = groups(values)
    found = dict(pairs)
    for grad in reversed(grads):  # what is returned comes last
        named = {name: value_named(grad, name, known) for name in names_of(grad)}
        several = {id(value) for value in named.values() if value is not None}
        for name, value in named.items():
            if len(several) > 1 and value is not None and found.get(value.at, grad) is grad:
                found[value.at] = under(grad, name)
    return found


def names_of(grad):
    """Return the names that a gradient was assigned to, or returned as; no argument's."""
    return dict.fromkeys(name for name, _ in grad.names if name not in grad.arguments)


def value_named(grad, name, known):
    """Return the one value whose gradient an Array is by one of its names, or None."""
    one = next(candidates(under(grad, name), known), None)
    values = [] if one is None else known[one[0]]
    is_one = len(values) == 1 and values[0].value.shape == grad.value.shape
    return values[0] if is_one else None


def under(grad, name) -> Array:
    """Return an Array under one of its names, at the line that assigns that."""
    names = [(other, owner) for other, owner in grad.names if other == name]
    return replace(grad, at=grad.numbers.get(name, grad.at), names=names)
