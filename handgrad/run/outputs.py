"""What a module returns: one tensor, or several in tuples, lists and dicts."""

import copy

import torch


def each(function, output, suffix=""):
    """Return an output with each floating point tensor in it replaced by what a function makes.

    The function gets where the tensor lies, `""`, `[0]`, `[1][0]` or `[key]`, and the tensor.
    """
    if isinstance(output, torch.Tensor):
        return function(suffix, output) if output.is_floating_point() or not suffix else output
    if isinstance(output, tuple | list):
        parts = [each(function, part, f"{suffix}[{i}]") for i, part in enumerate(output)]
        return type(output)(*parts) if hasattr(output, "_fields") else type(output)(parts)
    if isinstance(output, dict):
        result = copy.copy(output)
        for key, part in output.items():
            result[key] = each(function, part, f"{suffix}[{key}]")
        return result
    return output


def tensors_of(output):
    """Return the floating point tensors in an output, in order."""
    found = []
    each(lambda _, tensor: found.append(tensor), output)
    return found


def unused(name, trace, suffix=""):
    """Return `name`, or with _2, _3, ... the first that the trace does not have with the suffix."""
    count, free = 1, name
    while free + suffix in trace:
        count += 1
        free = f"{name}_{count}"
    return free + suffix
