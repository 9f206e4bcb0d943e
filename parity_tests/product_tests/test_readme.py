"""The README's examples print what it says they print, but for the numbers."""

import linecache
import re
import shlex
from importlib.metadata import metadata
from pathlib import Path

import pytest
import torch

pytestmark = pytest.mark.usefixtures("with_corrections")

CHECKOUT = Path(__file__).parents[2] / "README.md"
README = CHECKOUT.read_text() if CHECKOUT.exists() else str(metadata("handgrad")["Description"])
CONSOLE = re.findall(r"```console\n\$ (.+)\n((?:.*\n)*?)```", README)
PYTHON = re.findall(r"```python\n((?:.*\n)*?)```(?:\n\n```text\n((?:.*\n)*?)```)?", README)

QUANTITY = r"\b(grad_)?(h|w|b)\d?(_relu|_sigm|_norm)?\b|\b(grad_)?(y_pred|scores|gamma)\b|\bloss\b"


def skeleton(text):
    """Leave out what may differ from machine to machine: numbers, and which one is the worst."""
    text = re.sub(QUANTITY, "q", text)
    return re.sub(r"[\d.]+(e[+-]\d+)?", "0", text).split()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Give one folder for all commands, with the files that the README has.

    A later command may need what an earlier one wrote.
    """
    folder = tmp_path_factory.mktemp("readme")
    for code, _ in PYTHON:
        if name := re.match(r"# (\w+\.py)\n", code):
            (folder / name[1]).write_text(code)
    return folder


@pytest.mark.slow  # all of them or none, since one may need what another wrote
@pytest.mark.parametrize(("command", "printed"), CONSOLE, ids=[c for c, _ in CONSOLE])
def test_a_command_prints_what_the_readme_shows(handgrad, folder, monkeypatch, command, printed):
    program, *arguments = shlex.split(command)
    assert program.split("/")[-1] == "handgrad"
    if "--notebook" in arguments:
        pytest.importorskip("nbformat", reason="nbformat is not installed")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)  # as where it was written
    monkeypatch.chdir(folder)
    code, out, err = handgrad(*arguments)
    assert (code, err) == (int("Wrong: " in printed), "")
    assert skeleton(out) == skeleton(printed)


@pytest.mark.parametrize(("code", "printed"), PYTHON)
def test_python_examples_print_what_the_readme_shows(code, printed, capsys):
    linecache.cache["example.py"] = len(code), None, code.splitlines(True), "example.py"
    exec(compile(code, "example.py", "exec"), {})
    assert skeleton(capsys.readouterr().out) == skeleton(printed)


def test_the_readme_has_examples():
    assert len(CONSOLE) >= 6
    assert any(printed for _, printed in PYTHON)
