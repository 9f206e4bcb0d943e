"""Reports as the JSON object of `handgrad check --json`: stable, version 1."""

import json
import math
import platform
from importlib.metadata import version

import numpy as np
import torch


def to_json(reports):
    """Return the reports as a JSON text."""
    runs = [run_object(report) for report in reports]
    return json.dumps(
        {"version": 1, "environment": environment(), "runs": runs}, indent=2, allow_nan=False
    )


def environment():
    """Return what the numbers depend on: versions, machine type and devices, no names."""
    return {
        "handgrad": version("handgrad"),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": torch.__version__,
        "system": platform.system(),
        "machine": platform.machine(),
        "threads": torch.get_num_threads(),
        "cuda": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }


def run_object(report):
    """Return one report as an object."""
    return {
        "variant": report.variant,
        "device": report.device,
        "dtype": report.dtype,
        "verdict": "match" if report.ok else "mismatch",
        "first": report.first,
        "quantities": [quantity_object(finding) for finding in report.findings],
    }


def quantity_object(finding):
    """Return one finding as an object."""
    return {
        "name": finding.name,
        "kind": finding.kind,
        "verdict": finding.verdict,
        "difference": number(finding.difference),
        "tolerance": number(finding.tolerance),
        "shape": list(finding.shape),
        "cause": finding.cause._asdict() if finding.cause else None,
    }


def number(value):
    """Return a number, or the string "nan", "inf" or "-inf" that JSON has no number for."""
    return value if math.isfinite(value) else str(value)
