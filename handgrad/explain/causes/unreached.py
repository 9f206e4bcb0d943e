"""A gradient of what the loss does not depend on."""

from handgrad.findings import Cause

KIND = "unreached"
LOOKS_LIKE = "a gradient of what the loss does not depend on"
EXAMPLES: list[
    tuple[str, str, str, dict[str, str]]
] = []  # none of the gallery's references has one


def find(case):
    """Explain a gradient of what nothing that reaches the loss is computed from."""
    if not case.is_gradient or case.expected.any():
        return None
    last = last_of(case.steps.sources, case.quantity)
    if last is None:
        return None
    way = f"`{case.quantity}`" if last == case.quantity else f"`{last}`, which it goes into,"
    return Cause(
        KIND,
        f"{way} does not reach the loss: the forward pass never uses it, so `{case.name}` is 0 "
        "there, and this one is the gradient of another network.",
    )


def last_of(sources, quantity):
    """Return the last quantity on the way from this one to the loss, None where it gets there."""
    reached: set[str] = set()
    waiting = ["loss"]
    while waiting:
        name = waiting.pop()
        new = set(sources.get(name, ())) - reached
        reached |= new
        waiting += new
    if quantity in reached:
        return None
    users = {source: user for user, known in sources.items() for source in known}
    seen = {quantity}
    while quantity in users and users[quantity] not in {*seen, "loss"}:
        quantity = users[quantity]
        seen.add(quantity)
    return quantity
