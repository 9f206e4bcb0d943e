"""The entry point: which command, `check` where none is named, and every error as one sentence."""

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import Annotated, cast

import typer

from handgrad.cli import fixing, lessons, networks, recording, training
from handgrad.cli.limits import (
    WATCH,
    Interrupted,
    checked,
    in_passing,
    parse_timeout,
    raising,
    supervised,
)
from handgrad.cli.options import AsJson, Force, Html, Seed, Size, Verbose
from handgrad.errors import InputError
from handgrad.load import gallery
from handgrad.show.table import console, plain, say
from handgrad.show.target import check_target

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

# Any wrong use of the command line; typer exports just the most common kind of it.
UsageError = cast(type[typer.BadParameter], typer.BadParameter.__base__)

INTERRUPTED = 130  # what a shell gives for Ctrl-C, and typer
OWN_OPTIONS = ("-h", "--help", "--version")  # all other arguments are those of `check`
EXIT_CODES = {"match": 0, "mismatch": 1, "error": 2}


@app.callback(invoke_without_command=True)
def handgrad(
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
):
    """Is a gradient that was derived by hand right, where does it first go wrong, and why?

    Without a command: check every network of the gallery.
    """
    if version:
        from importlib.metadata import version as version_of

        print(f"handgrad {version_of('handgrad')}")
        raise typer.Exit()


@app.command()
def check(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Networks of the gallery, or your own files; the gallery if none."),
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda, cuda:1, …, or all that are here, the default.")
    ] = None,
    dtype: Annotated[
        str | None,
        typer.Option(
            help="float64, float32, tf32, bfloat16 or all that the device has. The default is "
            "float64 and float32, and all where --device is given."
        ),
    ] = None,
    seed: Seed = "0",
    size: Size = "",
    repeat: Annotated[
        int | None,
        typer.Option(
            help="Run PyTorch so many times, and count the different results.", metavar="N", min=2
        ),
    ] = None,
    timeout: Annotated[
        str, typer.Option(help="How long each file of yours may take.", metavar="SECONDS")
    ] = "60",
    fix: Annotated[
        bool, typer.Option("--fix", help="Write the corrected lines to your files; keep the old.")
    ] = False,
    fix_depth: Annotated[
        int, typer.Option(help="Try corrections of one change, or of two.", min=1, max=2)
    ] = 1,
    verbose: Verbose = False,
    as_json: AsJson = False,
    html: Html = None,
    force: Force = False,
):
    """Check hand-written gradients, quantity by quantity, against PyTorch.

    The networks of the gallery by their names; --device, --dtype, --seed, --size and --repeat
    are theirs. Or a derivation of your own, FILE.py (`handgrad new` writes one to start from) or
    NOTEBOOK.ipynb: checking a file runs it. Each is judged, also where another cannot be.

    Exit code: 0 all match, 1 a mismatch, 2 what cannot be judged.
    """
    chosen = [name for name in names or gallery.GALLERY if not is_file(name)]
    files = [name for name in names or [] if is_file(name)]
    if fix and not files:
        raise InputError("--fix is for your own files: name one, such as mine.py.")
    for name in chosen:
        gallery.check_name(name)
    sizes = {name: gallery.parse_sizes(name, size) for name in chosen}
    start, seconds = gallery.parse_seed(seed), parse_timeout(timeout)
    gallery.check_dtype(dtype, "all")
    if html is not None:
        check_target(html, force)
    with console(stderr=True).status("Importing torch") as status:
        from handgrad.pipeline import check_gallery
        from handgrad.run.precision import places

        runs = [(name, *place) for name in chosen for place in places(device, dtype)]
        reports = []
        for done, (name, dev, dt) in enumerate(runs, 1):
            status.update(f"{name}, {dev}, {dt} ({done} of {len(runs)})")
            reports.append(check_gallery(name, dev, dt, start, sizes[name], repeat or 0))
        own = []
        for name in files:
            status.update(f"Running {plain(name)}")
            with redirect_stdout(sys.stderr if as_json else sys.stdout):
                own += checked(
                    name, seconds, depth=fix_depth, tell=lambda s: status.update(plain(s))
                )
    show(reports, own, verbose, as_json, html, force)
    if fix:
        fixing.write_fixes(own)
    verdicts = {report.verdict for report in reports + own}
    raise typer.Exit(max(EXIT_CODES[verdict] for verdict in verdicts))


def is_file(name):
    """Say whether a name on the command line is a file rather than a network of the gallery."""
    return "/" in name or "." in name


def show(reports, own, verbose, as_json, html, force):
    """Print the Reports, those on the gallery and those on the user's own files."""
    if html is not None or as_json:
        from handgrad.record.environment import environment
    if html is not None:
        from handgrad.show.html import write_check

        write_check(html, reports + own, environment(), force)
    if as_json:
        from handgrad.show.json import to_json

        print(to_json(reports + own, environment()))
    else:
        from handgrad.show.table import print_reports

        print_reports(console(), reports, own, verbose)
    if html is not None:
        say(f"The report is in {html}.", stderr=True)
    for report in reports + own:
        if report.error is not None:
            say(f"Error: {report.error}", stderr=True)


COMMANDS: dict[str, Callable] = {
    "check": check,
    "new": networks.new,
    "list": networks.list_networks,
    "train": training.train,
    "record": recording.record,
    "diff": recording.diff,
    "lesson": lessons.lesson,
}
for command, function in COMMANDS.items():
    if function is not check:
        app.command(command)(function)


def main():
    """Run the command line and exit; where it runs a user's file, under another process's eyes."""
    sys.unraisablehook = threading.excepthook = in_passing
    arguments = sys.argv[1:]
    is_check = not arguments or arguments[0] not in COMMANDS or arguments[0] == "check"
    runs_code = is_check and any(name.endswith((".py", ".ipynb")) for name in arguments)
    sys.exit(supervised(command_line) if runs_code and hasattr(os, "fork") else command_line())


def command_line():
    """Run the command line; return its exit code. Whatever goes wrong is one sentence."""
    before = signal.getsignal(signal.SIGINT)
    if before != signal.SIG_IGN:
        # the process above sends it a second time, and ends what does not end
        then = signal.SIG_DFL if WATCH.above is None else signal.SIG_IGN
        signal.signal(signal.SIGINT, raising(Interrupted, then))
    try:
        return run(sys.argv[1:])
    except InputError as error:
        return failed(str(error))
    except UsageError as error:
        return failed(error.format_message())
    except (KeyboardInterrupt, typer.Abort):
        say("Interrupted.", stderr=True)
        return INTERRUPTED
    except OSError as error:
        return failed(f"Cannot write the output: {error.strerror}.")
    except BaseException as error:  # never exit code 1: that is a mismatch
        if is_short_of_memory(error):
            return failed("There is not enough memory for arrays of these sizes: use smaller ones.")
        if sys.stdout.closed:
            return failed("Cannot write the output: what was checked has closed it.")
        for line in "".join(traceback.format_exception(error)).splitlines():
            say(line, stderr=True)
        return failed("Handgrad fails here, as it never should: please report the lines above.")
    finally:
        signal.signal(signal.SIGINT, before)


def run(arguments):
    """Run a command, `check` where none is named; return its exit code."""
    if hasattr(signal, "SIGPIPE"):  # end quietly, as `cat` does, when `head` has seen enough
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    if not arguments or arguments[0] not in (*COMMANDS, *OWN_OPTIONS):
        arguments = ["check", *arguments]
    code = app(arguments, prog_name="handgrad", standalone_mode=False) or 0
    sys.stdout.flush()
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    return code


def is_short_of_memory(error):
    """Say whether an exception says that there is no memory left: PyTorch has no kind for it."""
    said = str(error) if isinstance(error, RuntimeError) else ""
    return isinstance(error, MemoryError) or "alloc" in said or "out of memory" in said


def failed(message):
    """Print one sentence, and return the exit code for it."""
    say(f"Error: {message}", stderr=True)
    return EXIT_CODES["error"]
