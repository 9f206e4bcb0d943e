"""Running a user's file: nothing of it is left behind, and what goes wrong is one sentence."""

import builtins
import contextlib
import importlib.util
import os
import random
import stat
import sys
import warnings
from pathlib import Path

import numpy as np
import torch

from handgrad.errors import InputError
from handgrad.run.hand_written import failure

SOURCE = 10 * 2**20  # bytes: more is no derivation, and Python takes minutes to compile it
PATCHED = (builtins, np, np.linalg, np.random, torch, torch.nn.functional)


@contextlib.contextmanager
def importing_from(folder):
    """Let a user's file import its neighbours, and leave nothing of that behind.

    Nothing is written, `sys.path` is put back, and the neighbours are forgotten, so that
    another folder's modules of the same names are not mistaken for them.
    """
    path, quiet, before = sys.path, sys.dont_write_bytecode, dict(sys.modules)
    kept, folder = list(path), os.path.realpath(folder)
    path.insert(0, folder)
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.path, path[:] = path, kept
        sys.dont_write_bytecode = quiet
        for name in set(sys.modules) - set(before):
            home = getattr(sys.modules[name], "__file__", None)
            if isinstance(home, str) and Path(folder) in Path(os.path.realpath(home)).parents:
                del sys.modules[name]
        sys.modules.update(before)


@contextlib.contextmanager
def settings_put_back():
    """Put back the settings of this process that a user's file changes, when it is done with.

    They are those of the process, NumPy and PyTorch that change what others compute or print.
    """
    folder, environment, depth = os.getcwd(), dict(os.environ), sys.getrecursionlimit()
    drawn, numpy_drawn = random.getstate(), np.random.get_state()  # noqa: NPY002 (theirs, too)
    dtype, threads = torch.get_default_dtype(), torch.get_num_threads()
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stdout(sys.stdout))
        stack.enter_context(contextlib.redirect_stderr(sys.stderr))
        stack.enter_context(np.errstate())
        stack.enter_context(np.printoptions())
        stack.enter_context(torch.set_grad_enabled(torch.is_grad_enabled()))
        stack.enter_context(torch.random.fork_rng(devices=[]))
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(environment)
            sys.setrecursionlimit(depth)
            random.setstate(drawn)
            np.random.set_state(numpy_drawn)  # noqa: NPY002
            torch.set_default_dtype(dtype)
            torch.set_num_threads(threads)
            with contextlib.suppress(OSError):  # it may have removed the folder
                os.chdir(folder)


@contextlib.contextmanager
def functions_put_back():
    """Put back what a user's file writes over in Python, NumPy and PyTorch: we compute with it.

    That, and which warnings are errors, is done as soon as the file has run.
    """
    before = [(vars(module), dict(vars(module))) for module in PATCHED]
    try:
        with warnings.catch_warnings():
            yield
    finally:
        for names, own in before:
            for name, value in own.items():
                if names.get(name) is not value:
                    names[name] = value


def read(path, most):
    """Return the bytes of a user's file; raise InputError where they cannot be had."""
    path = Path(path)
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):  # a pipe or a device would never end
            raise InputError(f"{path} is a folder, a pipe or a device: save it as a file.")
        if about.st_size > most:
            raise InputError(
                f"{path} has {about.st_size / 2**20:.0f} MB, and {most / 2**20:.0f} MB are read at "
                "most: is it the right file?"
            )
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.") from None
    except OSError as error:
        raise InputError(f"Cannot read {path}: {error.strerror}.") from None


def source_of(path):
    """Return a Python file as text, decoded as Python does; raise InputError where it is none."""
    try:
        source = importlib.util.decode_source(read(path, SOURCE))
    except (SyntaxError, UnicodeDecodeError):
        raise InputError(
            f"{path} is not a text file in UTF-8, nor in the encoding that it names."
        ) from None
    if "\0" in source:
        raise InputError(f"{path} has a NUL character in it: it is no text file.")
    return source


def execute(source, name, namespace, what):
    """Run Python source in a namespace; raise InputError, naming the line, where it fails."""
    try:
        code = compile(source, name, "exec")
    except SyntaxError as error:
        raise InputError(f"{what}, line {error.lineno}: {error.msg}; it is not Python.") from None
    except (RecursionError, MemoryError, ValueError):
        raise InputError(f"{what}: it is nested too deeply, it cannot be compiled.") from None
    try:
        exec(code, namespace)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise failure(what, error, name) from None
