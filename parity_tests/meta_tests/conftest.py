"""What the tests of the command line share."""

import sys

import pytest

from parity_tests.cli.main import main


@pytest.fixture
def handgrad(monkeypatch, capsys):
    """Give a function that runs the command line: exit code, stdout and stderr."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["handgrad", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            main()
        captured = capsys.readouterr()
        return exit_.value.code or 0, captured.out, captured.err

    return run
