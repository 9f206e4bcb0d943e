"""`handgrad check mine.py --fix`: corrected lines are written to the file, after they are shown.

The old file is kept beside it, and no file is written over.
"""

import json
import re
from pathlib import Path

from handgrad.errors import InputError
from handgrad.run.code import lines_in
from handgrad.show.table import say
from handgrad.show.target import write_whole


def write_fixes(reports):
    """Write the corrected lines of Reports to their files; return whether all could be written.

    A file that cannot be written is an error of its own.
    """
    fixes = [finding.fix for report in reports for finding in report.findings if finding.fix]
    by_path: dict[Path, list] = {}
    for fix in dict.fromkeys((f.file, f.number, f.old, f.new) for f in fixes):
        path = Path(re.sub(r" \[\d+\]$", "", fix[0])).resolve()  # of a link what it leads to
        by_path.setdefault(path, []).append(fix)
    if not fixes:
        say("No corrected line was found, so nothing is written.", stderr=True)
    failed = False
    for path, found in by_path.items():
        try:
            write_all(path, found)
        except InputError as error:
            say(f"Error: {error}", stderr=True)
            failed = True
    return not failed


def write_all(path, fixes):
    """Write corrected lines to a file, and keep the old one beside it."""
    from handgrad.load.lines import shown  # needs torch
    from handgrad.load.notebook import opened

    try:
        before = path.read_bytes().decode()
    except UnicodeDecodeError:
        raise InputError(f"{path} is not in UTF-8, so nothing is written: save it so.") from None
    except OSError as error:
        raise InputError(f"Cannot read {path}: {error.strerror}.") from None
    fixes = sorted(fixes, key=lambda fix: -fix[1])  # from below: what is above keeps its numbers
    if path.suffix == ".ipynb":
        notebook, cells = opened(path)
        after = in_cells(notebook, cells, fixes)
    else:
        after = before
        for _, number, old, new in fixes:
            after = with_lines(after, number, old, new)
    kept = beside(path)
    write_whole(kept, before.encode(), force=False)
    try:
        write_whole(path, after.encode(), force=True)
    except InputError:
        kept.unlink()
        raise
    lines = f"{len(fixes)} line{'s' * (len(fixes) > 1)}"
    say(
        f"{lines} of {shown(path)} corrected; as it was it is {shown(kept)}. "
        f"Next: handgrad {shown(path)}",
        stderr=True,
    )


def beside(path):
    """Return a name for the old file, one that there is no file of yet."""
    for number in range(1, 1000):
        kept = path.with_name(f"{path.stem}.before{number if number > 1 else ''}{path.suffix}")
        if not kept.exists():
            return kept
    raise InputError(f"{path.parent} has a thousand old files of {path.name}: remove some.")


def with_lines(text, number, old, new):
    """Return a text with corrected lines in the place of those that are there, indented alike.

    A statement may stand on a line with others.
    """
    lines, count = lines_in(text), len(old.splitlines())
    there = lines[number - 1 : number - 1 + count]
    if count == 1 and there and there[0].count(old) == 1 and "\n" not in new:
        lines[number - 1] = there[0].replace(old, new)
        return "".join(lines)
    if [line.strip() for line in there] != old.splitlines():
        raise InputError(
            f"Line {number} is not {old.splitlines()[0]!r} alone, so it was not written: write it "
            "yourself, or check the file again."
        )
    ends = [line[len(line.rstrip("\r\n")) :] for line in there]
    indents = [line[: len(line) - len(line.lstrip())] for line in there]
    written = [
        f"{indents[min(at, count - 1)]}{line}{ends[0]}" for at, line in enumerate(new.splitlines())
    ]
    written[-1] = written[-1].removesuffix(ends[0]) + ends[-1]  # the last may be the file's
    lines[number - 1 : number - 1 + count] = written
    return "".join(lines)


def in_cells(notebook, cells, fixes):
    """Return the text of a notebook with corrected lines in its code cells."""
    for file, number, old, new in fixes:
        number_of_cell = int(file[file.rindex("[") + 1 : -1])
        cell, key, _ = cells[number_of_cell - 1]
        source = cell[key]
        fixed = with_lines("".join(source), number, old, new)
        cell[key] = fixed if isinstance(source, str) else lines_in(fixed)
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
