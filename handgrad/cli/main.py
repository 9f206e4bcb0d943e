"""The entry point: which command, `check` where none is named, and every error as one sentence."""

import signal
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import Annotated, cast

import typer

from handgrad.cli import lessons, networks, recording, training
from handgrad.cli.options import AsJson, Force, Html, Seed, Size, Verbose
from handgrad.errors import InputError
from handgrad.load import gallery
from handgrad.show.table import console
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
    for name in chosen:
        gallery.check_name(name)
    sizes = {name: gallery.parse_sizes(name, size) for name in chosen}
    start = gallery.parse_seed(seed)
    gallery.check_dtype(dtype, "all")
    if html is not None:
        check_target(html, force)
    with console(stderr=True).status("Importing torch") as status:
        from handgrad.pipeline import check_file, check_gallery
        from handgrad.run.precision import places

        runs = [(name, *place) for name in chosen for place in places(device, dtype)]
        reports = []
        for done, (name, dev, dt) in enumerate(runs, 1):
            status.update(f"{name}, {dev}, {dt} ({done} of {len(runs)})")
            reports.append(check_gallery(name, dev, dt, start, sizes[name], repeat or 0))
        own = []
        for name in files:
            status.update(f"Running {name}")
            with redirect_stdout(sys.stderr if as_json else sys.stdout):
                own.append(check_file(name))
    show(reports, own, verbose, as_json, html, force)
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
        console(stderr=True).print(f"The report is in {html}.", markup=False, soft_wrap=True)
    for report in reports + own:
        if report.error is not None:
            print_error(report.error)


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
    print_error(message)
    sys.exit(EXIT_CODES["error"])


def print_error(message):
    """Print one sentence to where errors go."""
    console(stderr=True).print(f"Error: {message}", markup=False, soft_wrap=True)
