"""A new network is one file on each side and one line: everything takes it from there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import handgrad
from handgrad.load import gallery
from parity_tests.product_tests.lesson_tools import install, text_of
from parity_tests.product_tests.signal_norm import MANUAL, NAME, TORCH

CHECKOUT = Path(handgrad.__file__).parents[1]
# The commands that take it from the table, in one process: each would import torch anew.
EACH_IN_TURN = """
import sys
from handgrad.cli.main import command_line

for line in (
    "{name}",
    "train {name}",
    "record a.safetensors {name} --dtype float32",
    "diff a.safetensors a.safetensors",
    "lesson {name}",
):
    sys.argv[1:] = line.split()
    assert command_line() == 0
"""
SUITE = ("test_parity.py", "test_gallery.py", "meta_tests/test_judge.py")


@pytest.fixture
def added(monkeypatch, tmp_path):
    """Add the network while a test runs, and run it in a folder of its own."""
    install(monkeypatch, tmp_path, "manual", NAME, MANUAL)
    install(monkeypatch, tmp_path, "torch_ref", NAME, TORCH)
    monkeypatch.setitem(gallery.GALLERY, NAME, "")
    monkeypatch.chdir(tmp_path)
    return NAME


def test_it_is_checked_trained_recorded_and_taught(added, handgrad):
    code, out, _ = handgrad(added, "--device", "cpu")
    assert code == 0
    assert "All match: 33 quantities of 1 variant in 3 comparisons" in out
    code, out, _ = handgrad("train", added)
    assert code == 0
    assert "20 steps on both sides" in out
    assert handgrad("record", "run.safetensors", added, "--dtype", "float32")[0] == 0
    code, out, _ = handgrad("diff", "run.safetensors", "run.safetensors")
    assert code == 0
    assert "All numbers are the same in both." in out
    assert handgrad("lesson", added)[0] == 0
    html = Path("lessons", f"{added}.html").read_text()
    assert 'id="grad_k"' in html
    page = text_of(html)
    assert "model.c.weight.grad" in page
    assert "model.scores.weight.grad.T" in page
    assert added in handgrad("list")[1]


def test_a_mistake_in_it_is_named_with_its_line(added, handgrad, monkeypatch):
    wrong = MANUAL.replace("/ spread(c)  # (n, 1, d_in - 2)\n    grad_k", "\n    grad_k")
    assert wrong != MANUAL
    install(monkeypatch, Path.cwd(), "manual", NAME, wrong)
    code, out, _ = handgrad(added, "--dtype", "float64", "--device", "cpu")
    assert code == 1
    assert re.search(rf"manual/{NAME}\.py:\d+: grad_c = ", out)


@pytest.mark.slow
@pytest.mark.skipif(not (CHECKOUT / "Makefile").exists(), reason="the package is not in a checkout")
def test_two_files_and_a_line_are_all_that_the_suite_needs(tmp_path):
    for part in ("handgrad", "manual", "torch_ref", "parity_tests"):
        skipped = shutil.ignore_patterns("__pycache__")
        shutil.copytree(CHECKOUT / part, tmp_path / part, ignore=skipped)
    shutil.copy(CHECKOUT / "pyproject.toml", tmp_path)
    (tmp_path / "manual" / f"{NAME}.py").write_text(MANUAL)
    (tmp_path / "torch_ref" / f"{NAME}.py").write_text(TORCH)
    table = tmp_path / "handgrad" / "load" / "gallery.py"
    last = f'    "{list(gallery.GALLERY)[-1]}": "",\n'
    assert last in table.read_text()
    table.write_text(table.read_text().replace(last, f'{last}    "{NAME}": "",\n'))

    def run(*arguments):
        env = {**os.environ, "PYTHONPATH": str(tmp_path), "COLUMNS": "112"}
        command = [sys.executable, *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    files = [f"parity_tests/{file}" for file in SUITE]
    out = run("-m", "pytest", *files, "-k", NAME, "-p", "no:cacheprovider", "-p", "no:xdist")
    passed = re.search(r"(\d+) passed", out)
    assert passed is not None
    assert int(passed[1]) > 50
    out = run("-c", EACH_IN_TURN.format(name=NAME))
    assert "All match: 22 quantities of 1 variant" in out
    assert "20 steps on both sides" in out
    assert "1 run on cpu" in out
    assert "All numbers are the same in both." in out
    assert "Open lessons/" in out
