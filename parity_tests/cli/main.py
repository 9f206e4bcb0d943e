"""The entry point: which command, and every error as one sentence."""

import signal
import sys
from collections.abc import Callable
from typing import Annotated, cast

import typer

from parity_tests.cli import checking, lessons, recording, training
from parity_tests.errors import InputError
from parity_tests.show.table import console

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
COMMANDS: dict[str, Callable] = {
    "check": checking.check,
    "new": checking.new,
    "list": checking.list_variants,
    "train": training.train,
    "record": recording.record,
    "diff": recording.diff,
    "lesson": lessons.lesson,
}
for command, function in COMMANDS.items():
    app.command(command)(function)

# Any wrong use of the command line; typer exports just the most common kind of it.
UsageError = cast(type[typer.BadParameter], typer.BadParameter.__base__)

INTERRUPTED = 130  # what a shell gives for Ctrl-C, and typer
OWN_OPTIONS = ("-h", "--help", "--version")  # all other arguments are those of `check`


@app.callback(invoke_without_command=True)
def handgrad(
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
):
    """Is a gradient that was derived by hand right, where does it first go wrong, and why?

    Without a command: check every variant.
    """
    if version:
        from importlib.metadata import version as version_of

        print(f"handgrad {version_of('handgrad')}")
        raise typer.Exit()


def main():
    """Run the command line: `check` where no command is named; errors as one sentence."""
    if hasattr(signal, "SIGPIPE"):  # end quietly, as `cat` does, when `head` has seen enough
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    arguments = sys.argv[1:]
    if not arguments or arguments[0] not in (*COMMANDS, *OWN_OPTIONS):
        arguments.insert(0, "check")
    code = INTERRUPTED
    try:
        code = app(arguments, prog_name="handgrad", standalone_mode=False)
    except InputError as error:
        fail(str(error))
    except UsageError as error:
        fail(error.format_message())
    except MemoryError:
        fail("There is not enough memory for arrays of these sizes: use smaller ones.")
    except (KeyboardInterrupt, typer.Abort):
        pass
    except OSError as error:
        fail(f"Cannot write the output: {error.strerror}.")
    except RuntimeError as error:  # what PyTorch raises where memory is short
        if "alloc" not in str(error) and "out of memory" not in str(error):
            raise
        fail("There is not enough memory for arrays of these sizes: use smaller ones.")
    if code == INTERRUPTED:
        console(stderr=True).print("Interrupted.")
    sys.exit(code)


def fail(message):
    """Print one sentence and exit with 2."""
    console(stderr=True).print(f"Error: {message}", markup=False, soft_wrap=True)
    sys.exit(2)
