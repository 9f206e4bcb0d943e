"""Files, notebooks and records that mean harm, or could not do more if they did.

Each case is a name and a function of a folder that writes what it is called after, and returns the
arguments for `handgrad`. None of them can be judged. HARMLESS are odd, but can be judged.
"""

import json
import os
from pathlib import Path

from handgrad.load import file

TEMPLATE = Path(file.__file__).with_name("template_torch.py").read_text(encoding="utf-8")
ESCAPES = "\x1b[2J\x1b]0;owned\x07\u202e\u2028[/red][bold]"
CODED = ascii(ESCAPES)

# What is raised: lines that end in an exception, wherever they stand.
RAISED = {
    "sys.exit(0)": "import sys; sys.exit(0)",
    "exit()": "raise SystemExit",
    "a BaseException": "raise type('Mine', (BaseException,), {})('mine')",
    "KeyboardInterrupt": "raise KeyboardInterrupt",
    "RecursionError": "f = lambda: f(); f()",
    "MemoryError": "import numpy; numpy.zeros(10**15)",
    "escapes": f"raise ValueError({CODED})",
    "a long text": "raise ValueError('x' * 10**7)",
    "a str that exits": "raise type('Odd', (Exception,), {'__str__': lambda s: exit(0)})",
    "GeneratorExit": "raise GeneratorExit",
}

# Where: what stands in the template, and what stands there instead, with {} for those lines.
PLACES = {
    "at import": ("import numpy as np", "import numpy as np\n{}"),
    "in init": ("    x = rng.standard", "    {}\n    x = rng.standard"),
    "in forward": ("    h1 = x @", "    {}\n    h1 = x @"),
    "in backward": ("    grad_w2 = h1", "    {}\n    grad_w2 = h1"),
    "in the factory": ("reference = Net()", "def reference():\n    {}"),
    "in the module": ("        return self.y_pred", "        {}\n        return self.y_pred"),
    "in the loss": ("loss = nn.MSE", "def loss(output, y):\n    {}\n\nlost = nn.MSE"),
    "in the loss, later": (
        "loss = nn.MSE",
        "calls = []\n\n\ndef loss(output, y):\n    calls.append(1)\n    if len(calls) > 1:\n"
        "        {}\n    return (output - y).square().sum()\n\n\nlost = nn.MSE",
    ),
    "in a property": (
        "reference = Net()",
        "class Odd:\n    @property\n    def __class__(self):\n        {}\n\n\nreference = Odd()",
    ),
    "in __array__": (
        '"loss": loss}',
        '"loss": loss, "odd": [Odd()]}\n\n\nclass Odd:\n    def __array__(self, *args, **kwargs):'
        "\n        {}",
    ),
    "in keys": (
        "    return params, x, y",
        "    return Odd(params), x, y\n\n\nclass Odd(dict):\n    def __iter__(self):\n        {}",
    ),
}


def changed(old, new):
    """Return a function that writes the template with one thing changed."""
    assert TEMPLATE.count(old), old
    return source(TEMPLATE.replace(old, new, 1))


def source(content, name="mine.py"):
    """Return a function that writes a file with this content."""

    def write(folder):
        path = folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return [path]

    return write


def at_import(code):
    """Return a function that writes the template with lines after its imports."""
    return changed("import numpy as np", f"import numpy as np\n{code}")


def in_forward(code):
    """Return a function that writes the template with a line in its forward pass."""
    return changed("    h1 = x @", f"    {code}\n    h1 = x @")


def other(make, suffix=".py"):
    """Return a function that makes something else than a file where a file is expected."""

    def write(folder):
        make(path := folder / f"mine{suffix}")
        return [path]

    return write


def loop(path):
    """Make a link that leads to itself."""
    path.symlink_to(path.name)


def looped(folder):
    """Return a folder that is a link to itself."""
    loop(folder / "loop")
    return folder / "loop"


FILES = {
    f"{raised} {place}": changed(old, new.replace("{}", code))
    for place, (old, new) in PLACES.items()
    for raised, code in RAISED.items()
}

SOURCES = {
    "empty": source(""),
    "a NUL": source(TEMPLATE.replace("Net", "Net\0")),
    "UTF-16": source(TEMPLATE.encode("utf-16")),
    "not UTF-8": source(b"name = '\xff'\n"),
    "an unknown encoding": source("# coding: no-such\nx = 1\n"),
    "50 MB": source("x = 1\n" * (50 * 2**20 // 6)),
    "deep brackets": source("(" * 5000),
    "deep minus": source("x = " + "-" * 50_000 + "1"),
    "deep attributes": source("x = y" + ".y" * 20_000),
    "binary": source(bytes(range(256))),
    "no Python": source("Dear reader,\nthis is a letter.\n"),
    "its own SyntaxError": at_import("raise SyntaxError('mine\\x1b[2J')"),
    "another's SyntaxError": at_import("eval('(')"),
    "a folder": other(os.mkdir),
    "a pipe": other(os.mkfifo),
    "a device": other(lambda path: path.symlink_to("/dev/zero")),
    "a link to itself": other(loop),
    "a link to nothing": other(lambda path: path.symlink_to("none")),
    "a folder that is a link to itself": lambda folder: [looped(folder) / "mine.py"],
    "a device by name": lambda folder: [Path("/dev/zero")],
    "a name with markup": lambda folder: [folder / "[/red][bold].py"],
    "a name with escapes": lambda folder: [folder / f"{ESCAPES.replace('/', '')}.py"],
    "a name too long": lambda folder: [folder / f"{'n' * 5000}.py"],
    "a name that is no UTF-8": lambda folder: [folder / "\udcff.py"],
    "names that are no text": changed('"grad_b1": grad_b1', '"grad_b1": grad_b1, 3: grad_b1'),
    "names with escapes": changed('"grad_b1": grad_b1', f'"grad_b1": grad_b1, {CODED}: grad_b1'),
    "a name of 1 MB": changed('"grad_b1": grad_b1', '"grad_b1": grad_b1, "g" * 10**6: grad_b1'),
    "its folder removed": at_import("import os, tempfile; os.chdir(tempfile.mkdtemp()); 1 / 0"),
    "a patched numpy": at_import("np.asarray = np.zeros = None; 1 / 0"),
    "no builtins": at_import("import builtins; builtins.isinstance = builtins.len = None; 1 / 0"),
    "no stdout": at_import("import sys; sys.stdout = sys.stderr = None; 1 / 0"),
    "a tracer that exits": at_import("import sys; sys.settrace(lambda *args: sys.exit(0)); max(1)"),
    "another device": at_import("import torch; torch.set_default_device('meta')"),
    "no modules": at_import("import sys; sys.modules.clear(); sys.path = 3; 1 / 0"),
    "warnings as errors": at_import(
        "import warnings; warnings.simplefilter('error'); warnings.warn('mine')"
    ),
}

ENDLESS = {
    "a loop at import": at_import("while True: pass"),
    "a loop in forward": in_forward("while True: pass"),
    "a loop in the module": changed(
        "        return self.y_pred", "        while True: pass\n        return self.y_pred"
    ),
    "a loop in the loss": changed(
        "loss = nn.MSE", "def loss(output, y):\n    while True: pass\n\nlost = nn.MSE"
    ),
    "a sleep": in_forward("import time; time.sleep(10**6)"),
    "a lock": in_forward("import threading; l = threading.Lock(); l.acquire(); l.acquire()"),
    "a pipe": in_forward("import os; os.read(os.pipe()[0], 1)"),
    "a str without an end": at_import(
        "class Odd(Exception):\n    def __str__(self):\n        while True: pass\nraise Odd"
    ),
}

# These need a process: nothing in the one that checks can say so any more.
FATAL = {
    "a loop in C": in_forward("import itertools; sum(itertools.repeat(0))"),
    "a product without an end": in_forward("a = np.ones((60000, 60000), np.float32); a @ a"),
    "an error that is swallowed": in_forward(
        "\n    while True:\n        try:\n            while True: pass\n"
        "        except BaseException: pass"
    ),
    "os._exit(0)": in_forward("import os; os._exit(0)"),
    "os._exit(0) at import": at_import("import os; os._exit(0)"),
    "another program": in_forward("import os; os.execv('/bin/true', ['true'])"),
    "abort": in_forward("import os; os.abort()"),
    "a kill": in_forward("import os; os.kill(os.getpid(), 9)"),
    "a crash": in_forward("import ctypes; ctypes.string_at(0)"),
    "no end of recursion": in_forward(
        "import sys; sys.setrecursionlimit(10**9); f = lambda x: repr([f(x)]); f(1)"
    ),
    "everything closed": in_forward("import os; os.closerange(3, 256); os._exit(0)"),
}

# What is changed does not change the verdict, and is put back.
HARMLESS = {
    "a byte order mark": source(b"\xef\xbb\xbf" + TEMPLATE.encode()),
    "Latin-1 that says so": source(
        b"# coding: latin-1\n" + TEMPLATE.replace("One", "\xdcber").encode("latin-1")
    ),
    "Windows line ends": source(TEMPLATE.replace("\n", "\r\n")),
    "another folder": at_import("import os; os.chdir('/')"),
    "stdout replaced": at_import("import io, sys; sys.stdout = io.StringIO()"),
    "warnings are errors": at_import("import warnings; warnings.simplefilter('error')"),
    "NumPy raises": at_import("np.seterr(all='raise')"),
    "NumPy patched": at_import("np.tanh, np.allclose = np.tanh, lambda *args: True"),
    "builtins patched": at_import("import builtins; builtins.sorted = builtins.max = None"),
    "seeds": at_import("import random, torch\nnp.random.seed(1); random.seed(1)"),
    "float32 by default": at_import(
        "import torch; torch.set_default_dtype(torch.float32); torch.set_grad_enabled(False)"
    ),
    "other settings of PyTorch": at_import(
        "import torch; torch.use_deterministic_algorithms(True); torch.set_num_threads(3)\n"
        "torch.set_anomaly_enabled(True)"
    ),
    "a tracer": at_import("import sys; sys.settrace(lambda *args: None)"),
    "environment": at_import("import os; os.environ.clear()"),
    "a thread": at_import(
        "import threading, time; threading.Thread(target=time.sleep, args=[9], daemon=True).start()"
    ),
}


def notebook(*cells, **about):
    """Return a function that writes a notebook of these cells."""
    return source(json.dumps({"nbformat": 4, "nbformat_minor": 5, "cells": cells} | about), NOTE)


def code(text):
    """Return a cell with this code."""
    return {"cell_type": "code", "source": text, "metadata": {}, "outputs": []}


NOTE = "mine.ipynb"
NOTEBOOKS = {
    **{
        f"it is {text[:20]}": source(text, NOTE)
        for text in ("[]", "null", "3", "true", '"text"', "{}", "", "NaN", "{not json", "[1, 2]")
    },
    "very deep": source("[" * 200_000 + "]" * 200_000, NOTE),
    "a very long number": source("9" * 10_000, NOTE),
    "nbformat 99": notebook(code("x = 1"), nbformat=99),
    "nbformat of text": notebook(code("x = 1"), nbformat=ESCAPES),
    "no cells": source('{"nbformat": 4}', NOTE),
    "cells are none": source('{"nbformat": 4, "cells": null}', NOTE),
    "cells are numbers": notebook(1, 2, 3),
    "cells are lists": notebook([], []),
    "a cell without a kind": notebook({"source": "x = 1"}),
    "a cell without a source": notebook({"cell_type": "code"}),
    "a source of numbers": notebook({"cell_type": "code", "source": [1, 2]}),
    "a source that is none": notebook({"cell_type": "code", "source": None}),
    "a source that is an object": notebook({"cell_type": "code", "source": {"a": 1}}),
    "a NUL in a cell": notebook(code("x = '\0'")),
    "sys.exit(0) in a cell": notebook(code("import sys\nsys.exit(0)")),
    "KeyboardInterrupt in a cell": notebook(code("raise KeyboardInterrupt")),
    "escapes in a cell": notebook(code(f"raise ValueError({CODED})")),
    "half a character": notebook(code("x = '\ud800'")),
    "no UTF-8": source(b'{"nbformat": 4, "cells": "\xff"}', NOTE),
    "a folder": other(os.mkdir, ".ipynb"),
    "a pipe": other(os.mkfifo, ".ipynb"),
    "worksheets of nothing": source('{"nbformat": 3, "worksheets": 3}', NOTE),
}  # fmt: skip
