"""Running some code of a user's on traced arrays, and its derivatives by differences."""

import math

import numpy as np
import torch

from handgrad.run.traced import traced, tracing

STEP = 1e-6


def namespace(code, **names):
    """Run a file of the user's, in a namespace of its own."""
    space = {"np": np, "math": math, "y": np.array([1, 0, 3, 2]), **names}
    exec(code, space)
    return space


def leaf(array):
    """Return a tensor whose gradient is asked for."""
    return torch.tensor(array, requires_grad=True)


def run(code, *arrays, decide=None):
    """Run `f` of some code on traced arrays: return its result and the leaves."""
    space, leaves = namespace(code), [leaf(array) for array in arrays]
    with tracing([space], decide):
        return space["f"](*map(traced, leaves)), leaves


def slopes(function, arrays):
    """Return the derivatives of a plain run by central differences, in a row."""
    found = []
    for number, array in enumerate(arrays):
        for place in range(array.size):
            ends = []
            for step in (STEP, -STEP):
                moved = [one.copy() for one in arrays]
                moved[number].flat[place] += step
                ends.append(float(function(*moved)))
            found.append((ends[0] - ends[1]) / (2 * STEP))
    return np.array(found)


def gradients(result, leaves):
    """Return autograd's, in a row."""
    found = torch.autograd.grad(result.tensor, leaves, allow_unused=True, materialize_grads=True)
    return np.concatenate([gradient.numpy().ravel() for gradient in found])
