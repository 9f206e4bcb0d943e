"""NumPy's dtypes and PyTorch's: which is which, and what comes of two of them."""

from functools import cache

import numpy as np
import torch

NUMPY_DTYPES = {
    getattr(torch, name): np.dtype(name)
    for name in (
        *("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"),
        *("complex64", "complex128"),
    )
}
TORCH_DTYPES = {dtype: tensor for tensor, dtype in NUMPY_DTYPES.items()}
NUMBERS = frozenset([int, float, bool])


def numpy_dtype(dtype):
    """Return NumPy's dtype for PyTorch's."""
    return NUMPY_DTYPES[dtype]


def torch_dtype(dtype):
    """Return PyTorch's dtype for what NumPy takes as one."""
    return TORCH_DTYPES[np.dtype(dtype)]


def is_numeric(array):
    """Say whether PyTorch has the dtype of a NumPy array."""
    return array.dtype in TORCH_DTYPES


def from_numpy(array):
    """Return a NumPy array as a tensor, which has the array's memory where it can."""
    array = np.asarray(array)
    if not array.flags.writeable or any(stride < 0 for stride in array.strides):
        array = array.copy()
    return torch.from_numpy(array)


@cache
def promoted(a, b):
    """Return the dtype that NumPy gives to a result of arrays of two dtypes."""
    return TORCH_DTYPES[np.result_type(NUMPY_DTYPES[a], NUMPY_DTYPES[b])]


def alike(*tensors):
    """Return tensors, all of the dtype that NumPy promotes them to."""
    dtype = tensors[0].dtype
    for tensor in tensors:
        if tensor.dtype is not dtype:
            dtype = promoted(dtype, tensor.dtype)
    return [tensor if tensor.dtype is dtype else tensor.to(dtype) for tensor in tensors]


def cast_as_out(tensor, dtype):
    """Return a tensor in the dtype of the array that it is written into by `+=` or `out=`."""
    source, target = NUMPY_DTYPES[tensor.dtype], NUMPY_DTYPES[dtype]
    if not np.can_cast(source, target, "same_kind"):
        raise TypeError(
            f"Cannot cast ufunc output from dtype('{source}') to dtype('{target}') with casting "
            "rule 'same_kind'"
        )
    return tensor.to(dtype)
