"""Functions of scipy.special that networks use."""

import torch

from handgrad.run.traced.array import FUNCTIONS, Traced, tensor_of


def expit(x):
    """Return 1 / (1 + exp(-x))."""
    return Traced(torch.sigmoid(tensor_of(x)))


def logsumexp(a, axis=None, keepdims=False, **_):
    """Return log(sum(exp(a)))."""
    a = tensor_of(a)
    return Traced(torch.logsumexp(a, tuple(range(a.ndim)) if axis is None else axis, keepdims))


def softmax(x, axis=None):
    """Return exp(x) / sum(exp(x))."""
    x = tensor_of(x)
    if axis is None:
        return Traced(torch.softmax(x.reshape(-1), 0).reshape(x.shape))
    return Traced(torch.softmax(x, axis))


def log_softmax(x, axis=None):
    """Return log(softmax(x))."""
    x = tensor_of(x)
    if axis is None:
        return Traced(torch.log_softmax(x.reshape(-1), 0).reshape(x.shape))
    return Traced(torch.log_softmax(x, axis))


def erf(x):
    """Return the error function."""
    return Traced(torch.erf(tensor_of(x)))


SPECIAL = {
    "expit": expit,
    "logsumexp": logsumexp,
    "softmax": softmax,
    "log_softmax": log_softmax,
    "erf": erf,
}
FUNCTIONS["erf"] = erf  # math has it as well
