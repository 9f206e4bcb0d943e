"""The devices at hand."""

import torch

from parity_tests.errors import InputError


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
