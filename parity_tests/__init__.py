"""Compares hand-written NumPy networks with PyTorch: the only package that knows both sides.

`from parity_tests import check` checks a derivation of your own.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from parity_tests.errors import InputError
    from parity_tests.own.check import check
    from parity_tests.report import MismatchError, Report

__all__ = ["InputError", "MismatchError", "Report", "check"]

HOMES = {
    "check": "own.check",
    "InputError": "errors",
    "MismatchError": "report",
    "Report": "report",
}


def __getattr__(name):
    """Import what is asked for just then: torch takes a second, and the help needs none."""
    if name not in HOMES:
        raise AttributeError(f"module 'parity_tests' has no attribute {name!r}")
    return getattr(importlib.import_module(f"parity_tests.{HOMES[name]}"), name)
