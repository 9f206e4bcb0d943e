"""What the tests of hostile input share."""

import os
from unicodedata import category

import pytest


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch, tmp_path):
    """Run in a folder of its own, where nothing may appear."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    yield
    assert os.listdir(tmp_path / "here") == []


def hidden(text):
    """Return what is in a text that a terminal does not show, but for line ends."""
    return {char for char in text if category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")} - {"\n"}


def is_one_sentence(code, out, err):
    """Assert that this is what the command line gives where something cannot be judged."""
    assert (code, out) == (2, ""), err
    assert err.startswith("Error: ")
    assert err.endswith((".\n", "?\n"))
    assert err.count("\n") == 1
    assert hidden(err) == set()
    assert len(err) < 12_000
