"""Running a user's file: nothing of it is left behind, and what goes wrong is one sentence."""

import builtins
import contextlib
import importlib.util
import os
import random
import stat
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

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


def environ():
    """Return the environment's variables."""
    return dict(os.environ)


def set_environ(variables):
    """Set the environment's variables, and no others."""
    os.environ.clear()
    os.environ.update(variables)


# What changes what others compute, or where: how to ask for it, and how to set it.
SETTINGS: tuple[tuple[Callable[[], Any], Callable[[Any], Any]], ...] = (
    (environ, set_environ),
    (sys.getrecursionlimit, sys.setrecursionlimit),
    (random.getstate, random.setstate),
    (torch.get_default_dtype, torch.set_default_dtype),
    (torch.get_default_device, torch.set_default_device),
    (torch.get_num_threads, torch.set_num_threads),
    (torch.is_grad_enabled, torch.set_grad_enabled),
    (torch.is_anomaly_enabled, torch.set_anomaly_enabled),
    (torch.are_deterministic_algorithms_enabled, torch.use_deterministic_algorithms),
    (os.getcwd, os.chdir),
)


@contextlib.contextmanager
def settings_put_back():
    """Put back the settings of this process that a user's file changes, when it is done with."""
    before = [get() for get, _ in SETTINGS]
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stdout(sys.stdout))
        stack.enter_context(contextlib.redirect_stderr(sys.stderr))
        stack.enter_context(np.errstate())
        stack.enter_context(np.printoptions())
        stack.enter_context(torch.random.fork_rng(devices=[]))
        stack.callback(np.random.set_state, np.random.get_state())  # noqa: NPY002 (theirs)
        try:
            yield
        finally:
            for value, (get, put) in zip(before, SETTINGS, strict=True):
                with contextlib.suppress(OSError):  # the folder may be gone
                    if get() != value:  # to set some of them takes time
                        put(value)


@contextlib.contextmanager
def functions_put_back():
    """Put back what a user's file writes over in Python, NumPy and PyTorch: we compute with it.

    That, who traces, and which warnings are errors, is done as soon as the file has run.
    """
    before, tracing = [(vars(module), dict(vars(module))) for module in PATCHED], sys.gettrace()
    try:
        with warnings.catch_warnings():
            yield
    finally:
        sys.settrace(tracing)
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
