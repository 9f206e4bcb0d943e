"""What a run computes in: a device, and float64, float32, TF32 or bfloat16 and nothing else.

TF32 and bfloat16 keep 10 and 7 bits of a number's digits. In TF32 arrays are float32, but
matrix products round what goes into them; in bfloat16 the arrays themselves are that short.
Both add up in float32. NumPy has neither: the hand-written side then computes in float32, from
weights and data that the narrow dtype can hold.
"""

import os
from contextlib import contextmanager, nullcontext
from typing import Any, NamedTuple

import numpy as np
import torch

from handgrad.errors import InputError
from handgrad.run.mode import DispatchMode


class Precision(NamedTuple):
    """How the two sides store numbers, and what rounding does to them.

    `numpy` and `torch` are the dtypes of the hand-written side and of the reference, `eps` the
    machine epsilon, `tiny` and `max` the smallest normal number and the largest one. Noise is
    measured with so many `draws`, and so many times the noise (`safety`) is allowed. Rounding
    adds up along the sums in float64 and float32, so few draws and a wide margin; in TF32 and
    bfloat16 the sums are exact in comparison, every number is rounded once, by half an epsilon
    at most, and a wide margin would let a wrong sign pass.
    """

    name: str
    numpy: np.dtype
    torch: torch.dtype
    eps: float
    tiny: float
    max: float
    draws: int = 8
    safety: int = 64


def native(dtype):
    """Return the Precision of a dtype that both NumPy and PyTorch have."""
    info = np.finfo(dtype)
    stored = getattr(torch, info.dtype.name)
    return Precision(
        info.dtype.name, info.dtype, stored, float(info.eps), float(info.tiny), float(info.max)
    )


FLOAT64, FLOAT32 = native(np.float64), native(np.float32)
TF32 = FLOAT32._replace(name="tf32", eps=2.0**-10, draws=16, safety=8)
BFLOAT16 = TF32._replace(
    name="bfloat16", torch=torch.bfloat16, eps=2.0**-7, max=torch.finfo(torch.bfloat16).max
)
PRECISIONS = {p.name: p for p in (FLOAT64, FLOAT32, TF32, BFLOAT16)}


def precision_of(params):
    """Return the Precision of NumPy arrays: that of the widest."""
    dtype = str(np.result_type(*params.values()))
    if dtype not in PRECISIONS:
        raise InputError(
            f"The parameters must be float64 or float32, found {dtype}: convert them with "
            "astype(np.float64)."
        )
    return PRECISIONS[dtype]


def as_tensor(array, dtype, device):
    """Copy an array to a tensor: floating point in `dtype`, whole numbers and masks as they are."""
    array = np.array(array, order="C")  # reversed ones too: torch takes no negative strides
    kinds = {"f": dtype, "b": torch.bool}
    return torch.from_numpy(array).to(device, kinds.get(array.dtype.kind, torch.int64))


def usable(array, tensor):
    """Return a copy of `array` that can go on in place of `tensor`, or None.

    A copy, since autograd adds up gradients in place.
    """
    if array is None or array.shape != tuple(tensor.shape):
        return None
    return torch.from_numpy(np.array(array, order="C")).to(tensor.device, tensor.dtype)


def to_numpy(tensor):
    """Copy a tensor to a NumPy array; what NumPy has no dtype for (bfloat16) as float32."""
    return as_numpy(tensor).copy()


def as_numpy(tensor):
    """Return a tensor as a NumPy array, which has the tensor's own memory where it can."""
    tensor = tensor.detach().cpu().to_dense()
    return (tensor.float() if tensor.dtype is torch.bfloat16 else tensor).numpy()


def mapped(function, data):
    """Return what a function makes of an array, or of each one in dicts and tuples."""
    if isinstance(data, tuple):
        return tuple(mapped(function, part) for part in data)
    if hasattr(data, "keys"):
        return {name: mapped(function, data[name]) for name in data}
    return function(data)


def rounded(data, precision):
    """Return arrays in the hand-written side's dtype, each entry one that the precision has.

    `data` is an array, or arrays in dicts and tuples. Whole numbers and masks stay what they are.
    """

    def to_precision(array):
        if array.dtype.kind != "f":
            return array
        tensor = torch.from_numpy(np.array(array, order="C"))
        return tensor.to(precision.torch).to(getattr(torch, precision.numpy.name)).numpy()

    return mapped(to_precision, data)


def places(device, dtype):
    """Return pairs of a device and a dtype's name for what --device and --dtype say.

    Without either, every device that is here in float64 and float32; where a device is named,
    in everything that it computes in.
    """
    if device not in (None, "all"):
        check_device(device)
    pairs = []
    for name in available() if device in (None, "all") else [device]:
        if dtype not in (None, "all"):
            check_precision(dtype, name)
            pairs.append((name, dtype))
        elif device or dtype:
            pairs += [(name, chosen) for chosen in precisions_of(name)]
        else:
            pairs += [(name, precision.name) for precision in (FLOAT64, FLOAT32)]
    return pairs


def available():
    """Return the names of the devices of this machine that can compute in float64."""
    return ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


def check_device(name):
    """Raise InputError unless `name` is a device that is here."""
    kind, _, index = name.partition(":")
    if kind not in ("cpu", "cuda") or not ((index.isdecimal() and index.isascii()) or name == kind):
        raise InputError(f"There is no device {name!r}: use cpu, cuda, or one such as cuda:1.")
    count = torch.cuda.device_count() if kind == "cuda" else 1
    if int(index or 0) >= count:
        found = f"{count} {kind} device{'s' * (count > 1)}" if count else "no CUDA device"
        raise InputError(f"The device {name!r} is not here: PyTorch finds {found}; use cpu.")


def precisions_of(device):
    """Return the names of the precisions that a device computes in itself."""
    if device == "cpu":
        return ["float64", "float32", "bfloat16"]
    modern = torch.cuda.get_device_capability(device)[0] >= 8  # before: neither in hardware
    return list(PRECISIONS) if modern else ["float64", "float32"]


def check_precision(name, device):
    """Raise InputError unless `name` is a precision that this device has or can imitate."""
    if name not in PRECISIONS:
        raise InputError(f"There is no dtype {name!r}: use one of {', '.join(PRECISIONS)}, or all.")
    if device != "cpu" and name not in precisions_of(device):
        raise InputError(
            f"{torch.cuda.get_device_name(device)} does not compute in {name}: use one of "
            f"{', '.join(precisions_of(device))}."
        )


WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"  # without it CUDA's products may vary from run to run


@contextmanager
def arithmetic(precision, device="cpu"):
    """Compute in just this precision, the same way each time; then put all settings back.

    float32 products are computed in float32, not in TF32 or bfloat16, unless `precision` is
    TF32. The CPU has no TF32: there, what goes into a product is rounded to it.
    """
    deterministic, workspace = torch.get_deterministic_debug_mode(), os.environ.get(WORKSPACE)
    on_gpu = precision.name == "tf32" and not str(device).startswith("cpu")
    imitated = precision.name == "tf32" and not on_gpu
    with float32_products("high" if on_gpu else "highest"):
        try:
            # use_deterministic_algorithms says the same, but takes a second to import the compiler
            torch.set_deterministic_debug_mode("warn")
            os.environ[WORKSPACE] = workspace or ":4096:8"
            with TF32Products() if imitated else nullcontext():
                yield
        finally:
            if workspace is None:
                del os.environ[WORKSPACE]
            else:
                os.environ[WORKSPACE] = workspace
            torch.set_deterministic_debug_mode(deterministic)


@contextmanager
def float32_products(how):
    """Set how float32 matrix products are computed, `highest` or `high`; then put it back.

    From PyTorch 2.9 on each backend has a switch of its own as well. The one for all of them
    sets these too, and cannot be read where they disagree.
    """
    backends: list[Any] = [torch.backends.cuda.matmul]
    backends.append(getattr(torch.backends.mkldnn, "matmul", None))
    switches = [backend for backend in backends if hasattr(backend, "fp32_precision")]
    own = [backend.fp32_precision for backend in switches]
    try:
        before = torch.get_float32_matmul_precision()
    except RuntimeError:
        before = "highest"
    torch.set_float32_matmul_precision(how)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
        for backend, value in zip(switches, own, strict=True):
            backend.fp32_precision = value


def settings(precision, device="cpu"):
    """Return what torch is set to now, for showing: a dict of strings."""
    is_tf32 = torch.get_float32_matmul_precision() != "highest"
    imitated = precision.name == "tf32" and device == "cpu"
    return {
        "tf32": "imitated" if imitated else "on" if is_tf32 else "off",
        "deterministic": "on" if torch.are_deterministic_algorithms_enabled() else "off",
    }


PRODUCTS = {"mm": (0, 1), "bmm": (0, 1), "addmm": (1, 2), "baddbmm": (1, 2)}  # name: which inputs


class TF32Products(DispatchMode):
    """Round what goes into every float32 matrix product to TF32, as a GPU does, also backward."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        """Call PyTorch's operation `func`, with its factors rounded if it is a product."""
        factors = PRODUCTS.get(func.overloadpacket.__name__, ())
        args = [to_tf32(a) if i in factors else a for i, a in enumerate(args)]
        return func(*args, **(kwargs or {}))


def to_tf32(tensor):
    """Round a float32 tensor to the nearest numbers with 10 bits after the first, ties to even."""
    if tensor.dtype is not torch.float32:
        return tensor
    bits = tensor.contiguous().view(torch.int32)
    rounded = (bits >> 13).bitwise_and_(1).add_(bits).add_(0x0FFF).bitwise_and_(~0x1FFF)
    return torch.where(tensor.isnan(), tensor, rounded.view(torch.float32))  # inf stays inf
