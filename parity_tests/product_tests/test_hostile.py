"""Whatever a file, a notebook or a record does: one sentence, exit 2, in time, and no harm."""

import builtins
import json
import os
import random
import signal
import subprocess
import sys
import time
import warnings
from typing import Any

import numpy as np
import pytest
import torch

from handgrad import InputError, check
from parity_tests.product_tests import hostile
from parity_tests.product_tests.one_sentence import elsewhere, hidden, is_one_sentence

__all__ = ["elsewhere"]  # a fixture of every test

TIMEOUT = 0.2  # seconds for a file without an end


def is_quick(name):
    """Say whether a case of FILES is run each time: each place, and each that is raised, is."""
    return name.startswith("sys.exit(0)") or name.endswith("in forward")


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(make, id=name, marks=[] if is_quick(name) else pytest.mark.slow)
        for name, make in hostile.FILES.items()
    ],
)
def test_whatever_a_file_raises_is_one_sentence(handgrad, tmp_path, make):
    is_one_sentence(*handgrad(*make(tmp_path)))


@pytest.mark.parametrize("make", hostile.SOURCES.values(), ids=hostile.SOURCES)
def test_a_file_that_is_none_is_one_sentence(handgrad, tmp_path, make):
    before = state()
    is_one_sentence(*handgrad(*make(tmp_path)))
    assert state() == before


@pytest.mark.parametrize("make", hostile.NOTEBOOKS.values(), ids=hostile.NOTEBOOKS)
def test_a_notebook_that_is_none_is_one_sentence(handgrad, tmp_path, make):
    is_one_sentence(*handgrad(*make(tmp_path)))


@pytest.mark.parametrize("make", hostile.ENDLESS.values(), ids=hostile.ENDLESS)
def test_a_file_without_an_end_is_stopped(handgrad, tmp_path, make):
    start = time.monotonic()
    code, out, err = handgrad(*make(tmp_path), "--timeout", TIMEOUT)
    is_one_sentence(code, out, err)
    assert f"was not done after {TIMEOUT:g} s" in err
    assert time.monotonic() - start < TIMEOUT + 2


@pytest.mark.parametrize("raised", ["sys.exit(0)", "a BaseException", "a str that exits"])
def test_whatever_a_reference_raises_at_any_time_is_an_input_error(raised):
    code = hostile.RAISED[raised]
    outcomes = [outcome(code, last) for last in (0, 1, 2, 3, 5, 8, 13, 21, 1000)]
    assert outcomes[:3] == 3 * ["error"]
    assert outcomes[-1] == "mismatch"
    assert set(outcomes) == {"error", "mismatch"}


def outcome(code, last):
    """Check a wrong gradient against a module that raises after so many calls."""
    space: dict[str, Any] = {}
    exec(hostile.TEMPLATE, space)
    calls = []

    def count(*_):
        calls.append(1)
        if len(calls) > last:
            exec(code, {})

    (net := space["Net"]()).register_forward_pre_hook(count)
    params, x, y = space["init"](np.random.default_rng(0))
    values = space["forward"](params, x, y)
    grads = space["backward"](params, x, y, values)
    given = {**params, **values, **grads, "grad_w1": grads["grad_w1"] * 1.1**3}
    try:
        return check(given, net, x, y).verdict
    except InputError:
        return "error"


def with_escapes(reference):
    """Return the template with escapes in names and lines, and one mistake."""
    text = hostile.TEMPLATE
    for old, new in (
        ("    grad_w1 = x.T @ grad_h1", '    grad_w1 = x.T @ grad_h1 * 3; "\x1b[2J\u202e[/red]"'),
        ('"loss": loss}', f'"loss": loss, {hostile.CODED}: np.ones(2)}}'),
        ('"grad_w2": grad_w2,', f'"grad_w2": grad_w2, "grad_" + {hostile.CODED}: np.ones(2),'),
        ("reference = Net()", "reference = Net()" if reference else ""),
    ):
        assert old in text
        text = text.replace(old, new, 1)
    return text


@pytest.mark.parametrize("reference", [True, False])
def test_escapes_in_a_report_reach_no_terminal(handgrad, tmp_path, reference):
    path = tmp_path / "[bold]mine\x07[.py"
    path.write_text(with_escapes(reference))
    page = tmp_path / "page.html"
    for options in ((), ("-v",), ("--json",), ("--html", page)):
        code, out, err = handgrad(path, *options)
        assert code == 1, err
        assert hidden(out + err) == set()
    assert hidden(page.read_text()) == set()
    assert "[bold]mine\\x07[.py" in out


def state():
    """Return what a file can change of this process."""
    return {
        "folder": os.getcwd(),
        "environment": dict(os.environ),
        "streams": (sys.stdin, sys.stdout, sys.stderr),
        "path": list(sys.path),
        "depth": sys.getrecursionlimit(),
        "builtins": {name: id(value) for name, value in vars(builtins).items()},
        "numpy": {  # it imports its own modules when they are asked for
            name: id(value) for name, value in vars(np).items() if not isinstance(value, type(np))
        },
        "errors": np.geterr(),
        "printing": np.get_printoptions(),
        "filters": list(warnings.filters),
        "random": random.getstate(),
        "drawn": [part.tolist() if hasattr(part, "tolist") else part
                  for part in np.random.get_state()],  # noqa: NPY002
        "dtype": torch.get_default_dtype(),
        "grad": torch.is_grad_enabled(),
        "torch": torch.get_rng_state().tolist(),
        "threads": torch.get_num_threads(),
        "strict": (torch.are_deterministic_algorithms_enabled(), torch.is_anomaly_enabled()),
        "device": torch.get_default_device(),
        "tracer": sys.gettrace(),
    }  # fmt: skip


@pytest.mark.parametrize("make", hostile.HARMLESS.values(), ids=hostile.HARMLESS)
def test_what_a_file_changes_is_put_back_and_does_not_change_the_verdict(handgrad, tmp_path, make):
    before = state()
    code, out, err = handgrad(*make(tmp_path))
    assert (code, err) == (0, "")
    assert "All 15 quantities match" in out
    assert state() == before


def test_files_between_hostile_ones_are_all_judged(handgrad, tmp_path):
    def made(name, make):
        (tmp_path / name).mkdir()
        return make(tmp_path / name)[0]

    right = made("right", hostile.source(hostile.TEMPLATE))
    wrong = made("wrong", hostile.changed("grad_w1 = x.T @", "grad_w1 = 2 * x.T @"))
    odd = [
        made("first", hostile.FILES["sys.exit(0) at import"]),
        made("second", hostile.ENDLESS["a loop in forward"]),
        made("third", hostile.FILES["KeyboardInterrupt in the loss"]),
        made("fourth", hostile.SOURCES["a pipe"]),
    ]
    first, second, third, fourth = odd
    code, out, err = handgrad(
        first, right, second, wrong, third, "two_layer_relu", fourth, "--timeout", 1
    )
    assert code == 2
    assert "All match: 22 quantities" in out
    assert "All 15 quantities match" in out
    assert "factor: `grad_w1` is 2" in out
    errors = err.splitlines()
    assert len(errors) == 4
    for line, path in zip(errors, odd, strict=True):
        assert line.startswith("Error: ")
        assert str(path) in line or "reference" in line or "loss" in line


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "x", "", "1e9"])
def test_a_timeout_is_a_number_of_seconds(handgrad, text):
    code, out, err = handgrad("mine.py", f"--timeout={text}")
    is_one_sentence(code, out, err)
    assert "--timeout must be a number of seconds above 0" in err


def test_a_failure_of_ours_is_no_mismatch(handgrad, monkeypatch):
    monkeypatch.setattr("handgrad.pipeline.check_gallery", lambda *_: 1 / 0)
    code, out, err = handgrad("two_layer_relu")
    assert (code, out) == (2, "")
    assert "ZeroDivisionError" in err
    assert "please report the lines above" in err


def started(*arguments, first="pass"):
    """Start the command line as a process of its own, which runs `first` before."""
    # a process that is started in the background ignores Ctrl-C: listen to it again
    run = (
        f"{first}\n"
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from handgrad.cli.main import main; main()"
    )
    command = [sys.executable, "-c", run, *map(str, arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


@pytest.mark.slow
def test_files_that_end_the_process_are_one_sentence_each_and_others_are_judged(tmp_path):
    right, paths = hostile.source(hostile.TEMPLATE)(tmp_path)[0], {}
    for name, make in hostile.FATAL.items():
        folder = tmp_path / name.replace("/", "")
        folder.mkdir()
        paths[name] = make(folder)[0]
    # torch is imported once, and not by each process that is started again; the wait is short
    first = "import handgrad.pipeline; from handgrad.cli import limits; limits.GRACE = 0.5"
    done = started(*paths.values(), right, "--timeout", 1, "--json", first=first)
    out, err = done.communicate(timeout=300)
    assert done.returncode == 2
    assert hidden(err) == set()
    *fatal, last = json.loads(out)["runs"]
    assert last["verdict"] == "match"
    errors = err.splitlines()
    for name, line, found in zip(paths, errors, fatal, strict=True):
        assert line == f"Error: {found['error']}", name
        assert line.startswith(f"Error: {paths[name]} "), name
        assert "was not done after 1 s" in line or "ended the whole process" in line, name


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "send"),  # a terminal sends it to both processes, `kill` to the one above
    [("a sleep", os.killpg), ("a loop in C", os.killpg), ("an error that is swallowed", os.kill)],
    ids=str,
)
def test_ctrl_c_ends_what_does_not_end(tmp_path, name, send):
    path = (hostile.FATAL | hostile.ENDLESS)[name](tmp_path)[0]
    says = "def forward(params, x, y):\n    print('here', flush=True)\n    "
    path.write_text(path.read_text().replace("def forward(params, x, y):\n    ", says))
    done = started(path)
    assert done.stdout.readline() == "here\n"
    send(done.pid, signal.SIGINT)
    out, err = done.communicate(timeout=30)
    assert (done.returncode, out, err) == (130, "", "Interrupted.\n")


@pytest.mark.slow
def test_what_is_raised_in_passing_is_a_line(tmp_path):
    odd = (
        "import atexit, sys, threading\n\n\nclass Odd:\n    def __del__(self):\n        sys.exit(0)"
        "\n\n\nOdd()\nkept = Odd()\n\n\ndef fail():\n    raise ValueError('\\x1b[2J')\n\n\n"
        "threading.Thread(target=fail).start()\natexit.register(fail)"
    )
    done = started(*hostile.at_import(odd)(tmp_path))
    out, err = done.communicate(timeout=60)
    assert done.returncode == 0
    assert "All 15 quantities match" in out
    lines = ["Ignored: SystemExit: 0.", r"Ignored: ValueError: \x1b[2J."]
    assert sorted(set(err.splitlines())) == lines


@pytest.mark.slow
def test_threads_that_are_left_do_not_keep_the_process(tmp_path):
    late = "import threading, time; threading.Thread(target=time.sleep, args=[99]).start()"
    done = started(*hostile.at_import(late)(tmp_path))
    out, err = done.communicate(timeout=60)
    assert (done.returncode, err) == (0, "")
    assert "All 15 quantities match" in out
