"""Running a user's file: nothing of it is left behind, and what goes wrong is one sentence."""

import contextlib
import sys
from pathlib import Path

from handgrad.errors import InputError
from handgrad.run.hand_written import failure


@contextlib.contextmanager
def importing_from(folder):
    """Let a user's file import its neighbours, and leave nothing of that behind.

    Nothing is written, `sys.path` is put back, and the neighbours are forgotten, so that
    another folder's modules of the same names are not mistaken for them.
    """
    path, quiet, before = list(sys.path), sys.dont_write_bytecode, set(sys.modules)
    folder = Path(folder).resolve()
    sys.path.insert(0, str(folder))
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.path[:] = path
        sys.dont_write_bytecode = quiet
        for name in set(sys.modules) - before:
            home = getattr(sys.modules[name], "__file__", None)
            if home is not None and folder in Path(home).resolve().parents:
                del sys.modules[name]


def read(path):
    """Return a user's file as text; raise InputError where there is no such text."""
    path = Path(path)
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is not a text file in UTF-8.") from None
    except OSError as error:
        raise InputError(f"Cannot read {path}: {error.strerror}.") from None


def execute(source, name, namespace, what):
    """Run Python source in a namespace; raise InputError, naming the line, where it fails."""
    try:
        exec(compile(source, name, "exec"), namespace)
    except SyntaxError as error:
        raise InputError(f"{what}, line {error.lineno}: {error.msg}; it is not Python.") from None
    except (Exception, SystemExit) as error:
        raise failure(what, error, name) from None
