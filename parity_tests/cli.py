"""The command line. torch takes seconds to import: commands that need it import it themselves."""

import re
import signal
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated, cast

import typer

from parity_tests.errors import InputError
from parity_tests.show.table import console

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

# Any wrong use of the command line; typer exports just the most common kind of it.
UsageError = cast(type[typer.BadParameter], typer.BadParameter.__base__)

DTYPES = ("float64", "float32")
INTERRUPTED = 130  # what a shell gives for Ctrl-C, and typer
SHOWN_STEPS = (0, 1, 10, 100, 499)
COMMANDS = ("check", "list", "new", "train")
OWN_OPTIONS = ("-h", "--help", "--version")  # all other arguments are those of `check`


def parse_seed(text):
    """Read a seed: a whole number, 0 or more."""
    text = str(text)
    if not (text.isascii() and text.isdecimal() and len(text) < 20):
        raise typer.BadParameter(f"A seed is a whole number, 0 or more, found {text[:30]!r}.")
    return int(text)


Device = Annotated[str, typer.Option(help="cpu, cuda, cuda:1, …, or all that are here.")]
DType = Annotated[str, typer.Option(help="float64, float32 or all.")]
Seed = Annotated[
    int, typer.Option(help="Seed of weights and data, 0 or more.", parser=parse_seed, metavar="N")
]
Size = Annotated[
    str, typer.Option(help="Sizes in the order of `handgrad list`, such as 64,6,8,8,1.")
]


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


@app.command()
def check(
    names: Annotated[
        list[str] | None, typer.Argument(help="Variants, or your own files; all variants if none.")
    ] = None,
    device: Device = "all",
    dtype: DType = "all",
    seed: Seed = 0,
    size: Size = "",
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show every quantity.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
):
    """Check hand-written gradients, quantity by quantity, against PyTorch.

    The networks of the notebook by their names; --device, --dtype, --seed and --size are
    theirs. Or a derivation of your own, FILE.py (`handgrad new` writes one to start from) or
    NOTEBOOK.ipynb: checking a file runs it.

    Exit code: 0 all match, 1 a mismatch, 2 bad input.
    """
    from parity_tests import variants

    files = [name for name in names or [] if is_file(name)]
    chosen = [name for name in names or variants.VARIANTS if name not in files]
    for name in chosen:
        variants.check_name(name)
    sizes = {name: parse_size(name, size) for name in chosen}
    dtypes = parse_dtype(dtype)
    with console(stderr=True).status("Importing torch") as status:
        from parity_tests.own.paths import check_path
        from parity_tests.run import compare_variant
        from parity_tests.show.table import print_reports

        runs = [(n, dev, dt) for n in chosen for dev in parse_device(device) for dt in dtypes]
        reports = []
        for done, (name, dev, dt) in enumerate(runs, 1):
            status.update(f"{name}, {dev}, {dt} ({done} of {len(runs)})")
            reports.append(compare_variant(name, dev, dt, seed, sizes[name]))
        own = []
        for name in files:
            status.update(f"Running {name}")
            with redirect_stdout(sys.stderr if as_json else sys.stdout):
                own.append(check_path(name))
    if as_json:
        from parity_tests.show.as_json import to_json

        print(to_json(reports + own))
    else:
        print_reports(console(), reports, own, verbose)
    raise typer.Exit(0 if all(report.ok for report in reports + own) else 1)


@app.command()
def new(path: Annotated[Path, typer.Argument(help="The file to write, such as mine.py.")]):
    """Write a small derivation that works, to put your own in its place."""
    template = Path(__file__).with_name("own") / "template.py"
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(template.read_text(encoding="utf-8"))
    except FileExistsError:
        raise InputError(f"{path} is there already: choose another name.") from None
    except OSError as error:
        raise InputError(f"Cannot write {path}: {error.strerror}.") from None
    console().print(f"Wrote {path}. Now: handgrad check {path}", markup=False, soft_wrap=True)


@app.command("list")
def list_variants():
    """Name the variants, with the notebook's cells and sizes."""
    from parity_tests import variants
    from parity_tests.show.table import variants_table

    rows = [(name, cells, variants.sizes(name)) for name, cells in variants.VARIANTS.items()]
    console().print(variants_table(rows))


@app.command()
def train(
    name: Annotated[str, typer.Argument(help="A variant.")],
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1, …")] = "cpu",
    dtype: Annotated[str, typer.Option(help="float64 or float32.")] = "float64",
    seed: Seed = 0,
    size: Size = "",
    plot: Annotated[
        Path | None, typer.Option(help="Draw the losses into this file, such as losses.png.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Draw over a file that is there.")] = False,
):
    """Run the notebook's training on both sides and show how far the losses drift apart."""
    from parity_tests import variants
    from parity_tests.show import plot as drawing
    from parity_tests.show.table import drift_conclusion, losses_table

    variants.check_name(name)
    sizes = parse_size(name, size)
    if dtype not in DTYPES:
        raise InputError(
            f"There is no dtype {dtype!r} to train in: use one of {', '.join(DTYPES)}."
        )
    if plot is not None:
        drawing.check_target(plot, force)
    with console(stderr=True).status("Importing torch"):
        from parity_tests.compare.devices import check_device
        from parity_tests.compare.drift import train_variant

        check_device(device)
    drift = train_variant(name, device, dtype, seed, sizes, progress_bars())
    count = len(drift.ours)
    before = count - 500  # a variant may take one step before the loop of 500
    steps = [("before", 0)] * before + [(str(step), step + before) for step in SHOWN_STEPS]
    out = console()
    out.print(f"{name}, {device}, {dtype}, seed {seed}: {count} steps on both sides", "")
    out.print(losses_table(drift, steps), "", drift_conclusion(drift), sep="\n")
    if plot is not None:
        drawing.save_losses(plot, f"{name}, {device}, {dtype}", drift)
        out.print(f"Both curves and their difference are in {plot}.", soft_wrap=True)


def progress_bars():
    """Make a function that shows a progress bar for each side's steps in turn, on a terminal."""
    from rich.progress import track

    titles = iter(("NumPy", "PyTorch"))
    bar_console = console(stderr=True)
    if not bar_console.is_terminal:
        return iter
    return lambda rates: track(rates, next(titles), console=bar_console, transient=True)


def is_file(name):
    """Say whether a name on the command line is a file rather than a variant."""
    return name.endswith((".py", ".ipynb")) or "/" in name or "." in name


def parse_size(name, text):
    """Read `64,6,8,8,1` into a variant's sizes by name; the notebook's where `text` is empty."""
    from parity_tests import variants

    if not text:
        return variants.sizes(name)
    if not re.fullmatch(r"-?[0-9]{1,9}(,-?[0-9]{1,9})*", text):
        example = ",".join(map(str, variants.sizes(name).values()))
        raise InputError(
            f"A size is whole numbers with commas between, such as {example}, found {text!r}."
        )
    return variants.sizes_from(name, [int(part) for part in text.split(",")])


def parse_dtype(text):
    """Read a dtype's name, or `all`."""
    if text != "all" and text not in DTYPES:
        raise InputError(f"There is no dtype {text!r}: use one of {', '.join(DTYPES)} or all.")
    return DTYPES if text == "all" else (text,)


def parse_device(text):
    """Read a device's name, or `all`."""
    from parity_tests.compare.devices import available, check_device

    if text == "all":
        return available()
    check_device(text)
    return [text]


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
        if "alloc" not in str(error):
            raise
        fail("There is not enough memory for arrays of these sizes: use smaller ones.")
    if code == INTERRUPTED:
        console(stderr=True).print("Interrupted.")
    sys.exit(code)


def fail(message):
    """Print one sentence and exit with 2."""
    console(stderr=True).print(f"Error: {message}", markup=False, soft_wrap=True)
    sys.exit(2)
