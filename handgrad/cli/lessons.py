"""`handgrad lesson`."""

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from handgrad.cli.options import Force
from handgrad.errors import InputError
from handgrad.show.table import console, say


def lesson(
    name: Annotated[
        str | None, typer.Argument(help="A network, or ladder; all pages if none.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The folder to write the pages into.")] = Path(
        "lessons"
    ),
    show: Annotated[bool, typer.Option("--open", help="Open the pages in the browser.")] = False,
    notebook: Annotated[
        Path | None,
        typer.Option(help="Write the lesson NAME as a notebook with exercises, FILE.ipynb."),
    ] = None,
    solved: Annotated[bool, typer.Option("--solved", help="Fill the exercises in.")] = False,
    force: Force = False,
):
    """Write lessons: NumPy and PyTorch side by side, from the code and from a real run.

    Pages that Handgrad wrote before are written anew; any other file stays as it is.
    """
    if notebook is not None:
        write_exercises(name, notebook, solved, force)
        return
    if solved:
        raise InputError("--solved goes with --notebook FILE.ipynb: pages have no exercises.")
    with console(stderr=True).status("Importing torch") as status:
        from handgrad.lessons.site import check_folder, pages_of, write_site

        names = pages_of(name)
        check_folder(out, names)

        def progress(files):
            for file in files:
                status.update(f"Running {file}")
                yield file

        first = write_site(out, names, progress)
    say(f"Open {first} in a browser.")
    if show and not webbrowser.open(first.resolve().as_uri()):
        raise InputError(f"No browser could be opened: open {first} yourself.")


def write_exercises(name, path, solved, force):
    """Write a lesson as a notebook."""
    from handgrad.lessons.notebook import write_notebook
    from handgrad.load import gallery

    if name is None:
        raise InputError(
            f"A notebook is of one network: handgrad lesson {next(iter(gallery.GALLERY))} "
            f"--notebook {path}."
        )
    gallery.check_name(name)
    write_notebook(path, name, solved, force)
    say(f"Wrote {path}. Now: jupyter lab {path}")
