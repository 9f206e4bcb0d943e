"""`handgrad list` and `handgrad new`."""

from pathlib import Path
from typing import Annotated

import typer

from handgrad.errors import InputError
from handgrad.load import gallery
from handgrad.show.table import console, networks_table, say


def list_networks():
    """Name the networks of the gallery, with their sizes and the notebook's cells."""
    rows = [(name, cells, gallery.sizes_of(name)) for name, cells in gallery.GALLERY.items()]
    console().print(networks_table(rows))


def new(
    path: Annotated[Path, typer.Argument(help="The file to write, such as mine.py.")],
    torch: Annotated[
        bool, typer.Option("--torch", help="One with the same network in PyTorch beside it.")
    ] = False,
):
    """Write a small derivation that works, to put your own in its place: NumPy alone."""
    if path.suffix != ".py":
        raise InputError(f"{path} is to be a Python file: call it {path.stem or 'mine'}.py.")
    name = "template_torch.py" if torch else "template.py"
    template = Path(gallery.__file__).with_name(name)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(template.read_text(encoding="utf-8"))
    except FileExistsError:
        raise InputError(f"{path} is there already: choose another name.") from None
    except OSError as error:
        raise InputError(f"Cannot write {path}: {error.strerror}.") from None
    say(f"Wrote {path}. Now: handgrad check {path}")
