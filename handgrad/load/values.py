"""Which submodule gives which of a user's quantities."""

from typing import Any

from handgrad.load.names import array_of, find, gradient_names


def pair_values(model, quantities, names=None):
    """Return which submodule gives which quantity: a dict from path to name.

    Submodules that hold others count only where the user has their name, or that of their
    gradient; what the whole model returns is `y_pred` where no submodule is called so. `names`
    may also name a part of what a submodule returns, `{"states": "lstm[0]"}`.
    """
    given = {path: name for name, path in (names or {}).items()}
    result: dict[str, str] = {}
    for path, module in model.named_modules():
        short = path.rpartition(".")[2]
        candidates = [c for c in (path, path.replace(".", "_"), short) if c] or ["y_pred"]
        name = given.get(path) or known(quantities, candidates)
        if name is None or name in result.values():
            if not path or any(True for _ in module.children()):
                continue
            name = path.replace(".", "_")
        result[path] = name
    if "" in result and "y_pred" in [result[path] for path in result if path]:
        del result[""]
    parts = {path: name for path, name in given.items() if "[" in path}
    return {**result, **parts}


def known(quantities, candidates):
    """Return the first name that the user has, or has a gradient of, or None."""
    name = find(quantities, candidates)
    if name is not None:
        return name
    for candidate in candidates:
        several = isinstance(quantities.get(candidate), tuple | list | dict)
        if several or find(quantities, gradient_names(candidate)) is not None:
            return candidate
    return None


def with_parts(quantities, names):
    """Return a user's quantities, also the parts of those that are several: `lstm[0]` of `lstm`."""
    found = dict(quantities)
    for name in names:
        for whole in (name, *gradient_names(name)):
            found.update(parts_of(whole, quantities.get(whole)))
    return found


def parts_of(name, value, depth=0):
    """Return the arrays in a tuple, list or dict under names such as `lstm[1][0]`."""
    if array_of(value) is not None:
        return {name: value}
    found: dict[str, Any] = {}
    if isinstance(value, tuple | list | dict) and depth < 4:  # deeper than any module's output
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, part in pairs:
            found |= parts_of(f"{name}[{key}]", part, depth + 1)
    return found


def candidates_of(traced, values):
    """Return for each value of a trace the names that it may have among the user's.

    Those of several tensors are `lstm[0]` or `lstm_0`, and the first of them is `lstm` as well,
    where `values`, which `pair_values` gives, has no name of its own for any of them.
    """
    result: dict[str, list[str]] = {}
    whole = {values.get(path.partition("[")[0]) for path in values if "[" in path}
    for name in traced:
        base, bracket, _ = name.partition("[")
        result[name] = [name]
        if bracket:
            result[name].append(name.replace("[", "_").replace("]", ""))
            result[name] += [base] * (base not in whole)
            whole.add(base)
    return result
