"""Functions that are PyTorch's own NumPy's: `torch._numpy`, which is private, used here alone."""

import numpy as np
import torch
import torch._numpy as torch_numpy

from handgrad.run.traced.array import FUNCTIONS, Traced, tensor_of
from handgrad.run.traced.making import all_plain, contains

# A test compares each of these with NumPy's.
# fmt: off
BORROWED = (
    "corrcoef", "cov", "gradient",
    "linalg.cholesky", "linalg.det", "linalg.eigh", "linalg.inv", "linalg.matrix_power",
    "linalg.pinv", "linalg.qr", "linalg.slogdet", "linalg.solve", "linalg.svd",
)
# fmt: on


def borrowed(name):
    """Return a function of torch._numpy's for traced arrays."""
    place, _, last = name.rpartition(".")
    function = getattr(getattr(torch_numpy, place) if place else torch_numpy, last)

    def call(*arguments, **keywords):
        return back(function(*map(there, arguments), **{k: there(v) for k, v in keywords.items()}))

    return call


def there(value):
    """Return an argument as torch._numpy takes it."""
    if type(value) is Traced or isinstance(value, np.ndarray):
        return torch_numpy.ndarray(tensor_of(value))  # given NumPy's, it loads the compiler
    if contains(value, lambda array: True):
        return torch_numpy.ndarray(torch.stack([tensor_of(part) for part in value]))
    return all_plain(value)


def back(value):
    """Return a result of torch._numpy's with its arrays as traced ones."""
    if isinstance(value, torch_numpy.ndarray):
        return Traced(value.tensor)
    if isinstance(value, torch.Tensor):
        return Traced(value)
    if isinstance(value, (tuple, list)):
        return (
            type(value)(back(part) for part in value)
            if type(value) in (tuple, list)
            else tuple(map(back, value))
        )
    return value


for _name in BORROWED:
    FUNCTIONS[_name] = borrowed(_name)
