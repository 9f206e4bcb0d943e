"""A user's file that uses the API wrongly is told so by a type checker, before it runs."""

from pathlib import Path

import pytest

import handgrad

api = pytest.importorskip("mypy.api", reason="mypy is not installed")

RIGHT = """
import numpy as np
import torch
from torch import nn
import handgrad

x, y = np.ones((3, 2)), np.ones((3, 1))
report = handgrad.check({"w": np.ones((2, 1))}, nn.Linear(2, 1), x, y, loss=nn.MSELoss())
print(report.ok, report.first, [finding.verdict for finding in report.findings])
print(handgrad.check_function(torch.relu, torch.ones(3), reference=torch.relu).ok)
"""
WRONG = {
    "lose": ("loss=nn", "lose=nn", 'Unexpected keyword argument "lose"'),
    "list": ("loss=nn.MSELoss()", 'names=["w"]', 'No overload variant of "check" matches'),
    "reference": ("=torch.relu)", "=3)", 'Argument "reference" to "check_function" has incompat'),
    "attribute": ("report.ok", "report.okay", '"Report" has no attribute "okay"'),
    "verdict": ("finding.verdict", "finding.verdikt", '"Finding" has no attribute "verdikt"'),
}


def checked(folder, source):
    """Return what mypy says of a user's file; torch is not looked into."""
    (folder / "mine.py").write_text(source)
    (folder / "mypy.ini").write_text(
        "[mypy]\nmypy_path = " + str(Path(handgrad.__file__).parents[1]) + "\n"
        "[mypy-torch.*]\nfollow_imports = skip\n[mypy-rich.*]\nfollow_imports = skip\n"
    )
    arguments = [str(folder / "mine.py"), "--config-file", str(folder / "mypy.ini")]
    return api.run([*arguments, "--cache-dir", str(folder / "cache")])[0]


@pytest.mark.slow
def test_a_wrong_use_of_the_api_is_told_by_the_type_checker(tmp_path):
    assert checked(tmp_path, RIGHT).startswith("Success")
    for old, new, words in WRONG.values():
        assert old in RIGHT
        assert words in checked(tmp_path, RIGHT.replace(old, new))


def test_the_package_says_that_it_is_typed():
    assert (Path(handgrad.__file__).parent / "py.typed").exists()
