"""A path to check: a Python file or a notebook."""

from pathlib import Path

from parity_tests.errors import InputError
from parity_tests.own.files import check_file
from parity_tests.own.notebooks import check_notebook


def check_path(path):
    """Check the derivation in a Python file or a Jupyter notebook; return the Report."""
    path = Path(path)
    if path.suffix not in (".py", ".ipynb"):
        raise InputError(f"{path} is neither a Python file (.py) nor a notebook (.ipynb).")
    return check_file(path) if path.suffix == ".py" else check_notebook(path)
