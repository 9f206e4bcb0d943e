"""What the numbers of a run depend on: versions, devices, settings. No host and no user name."""

import os
import platform
import re
import subprocess
from importlib.metadata import PackageNotFoundError, distributions, version

import numpy as np
import torch

# They overrule what torch is set to.
OVERRIDES = ("NVIDIA_TF32_OVERRIDE", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE")


def environment(device=None):
    """Return the environment of runs on `device`, by default the GPU where there is one: a dict.

    The values are strings, whole numbers, or None for what is not there.
    """
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    return {
        "handgrad": handgrad_version(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numpy_blas": numpy_blas(),
        "torch": torch.__version__,
        "torch_blas": torch_blas(),
        "system": platform.system(),
        "distribution": distribution(),
        "machine": platform.machine(),
        "cpu": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        **gpu(device),
        **{name.lower(): os.environ.get(name) for name in OVERRIDES},
    }


def gpu(device):
    """Return the name and the versions of a GPU; None for each where `device` is none."""
    if device == "cpu":
        return dict.fromkeys(("cuda", "capability", "driver", "cuda_version", "cublas"))
    return {
        "cuda": torch.cuda.get_device_name(device),
        "capability": ".".join(map(str, torch.cuda.get_device_capability(device))),
        "driver": driver(),
        "cuda_version": torch.version.cuda,
        "cublas": cublas(),
    }


def handgrad_version():
    """Return the version of this package, None where it is not installed."""
    try:
        return version("handgrad")
    except PackageNotFoundError:
        return None


def numpy_blas():
    """Return what NumPy multiplies matrices with."""
    blas = np.show_config(mode="dicts")["Build Dependencies"].get("blas", {})
    return f"{blas.get('name')} {blas.get('version')}"


def torch_blas():
    """Return what torch multiplies matrices with on the CPU, None where it does not say."""
    found = re.search(r"BLAS_INFO=(\w+)", torch.__config__.show())
    return found and found[1]


def distribution():
    """Return the name of the operating system's version."""
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):  # macOS, Windows
        return platform.mac_ver()[0] or platform.version()


def driver():
    """Return the version of the GPU's driver, None where nvidia-smi is not at hand."""
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        shown = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return shown.stdout.split("\n")[0].strip() or None


def cublas():
    """Return the version of CUDA's library of products, None where pip did not install it."""
    for package in distributions():
        if str(package.metadata["Name"]).startswith("nvidia-cublas"):
            return package.version
    return None
