"""Files that are written for the user: whole or not at all, and never over one that is there."""

import os

from handgrad.errors import InputError


def check_target(path, force):
    """Raise InputError where `path` may not be written: it is there, or it has no folder."""
    try:
        if path.is_dir():
            raise InputError(f"{path} is a folder: choose another name.")
        if path.exists() and not force:
            raise InputError(f"{path} is there already: choose another name, or add --force.")
        if not path.parent.is_dir():
            raise InputError(
                f"There is no folder {path.parent} to write {path.name} into: make it."
            )
    except OSError as error:
        raise InputError(f"Cannot write {path}: {error.strerror}.") from None


def write_whole(path, content, force=False):
    """Write bytes to a file under another name first, so that no half file bears its name."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        check_target(path, force)  # it may have appeared meanwhile
        part.replace(path)
    except OSError as error:
        raise InputError(f"Cannot write {path}: {error.strerror}.") from None
    finally:
        part.unlink(missing_ok=True)
