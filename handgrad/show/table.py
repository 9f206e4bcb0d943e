"""Reports as tables for a terminal."""

import io
import math
import os
import sys
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from handgrad.show.columns import (
    RUN_COLUMNS,
    RUN_NUMBERS,
    colour,
    columns_of,
    counted,
    plain,
    visible,
)
from handgrad.show.sentences import (
    corrections_of,
    is_explained,
    title_of,
    verdict_line,
    where,
)

WIDTH = 112  # what the widest table needs
NARROWEST = 80  # what the other tables need: a smaller terminal wraps them, nothing is cut off
NARROW_COLUMNS = 7  # more columns of a quantity do not fit into NARROWEST


def console(stderr=False):
    """Make a console that is wide enough for the tables, also when the output goes to a file."""
    stream = sys.stderr if stderr else sys.stdout
    chosen = stream.isatty() or "COLUMNS" in os.environ
    width = Console(stderr=stderr).width if chosen else WIDTH
    return Console(stderr=stderr, width=max(width, NARROWEST), highlight=False, emoji=False)


def say(text, stderr=False):
    """Print a line to the terminal, with what comes from outside made safe: it is not wrapped."""
    console(stderr).print(visible(text), markup=False, soft_wrap=True)


def new_table(title=None):
    """Make an empty table in the style of all others."""
    return Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))


def add_name(table, heading):
    """Add a column of names to a table: a long one is broken, never cut off."""
    table.add_column(plain(heading), overflow="fold")


def verdict(word):
    """Colour a verdict."""
    return f"[{colour(word).terminal}]{plain(word)}[/]"


def summary(reports, width=WIDTH):
    """Draw one line for each report; less of it where `width` is too small for all."""
    drifts = any(report.drift is not None for report in reports)
    left_out = {"ratio"} if width >= WIDTH else {"compared", "loss", "difference / tolerance"}
    left_out |= {"device", "compared"} if drifts else {"drift"}
    table = new_table()
    for heading in (shown := [name for name in RUN_COLUMNS if name not in left_out]):
        if heading in ("variant", "worst"):
            add_name(table, heading)
        else:
            right = heading in RUN_NUMBERS
            table.add_column(heading, no_wrap=True, justify="right" if right else "left")
    for report in reports:
        cells = {heading: plain(RUN_COLUMNS[heading](report)) for heading in shown}
        table.add_row(*(cells | {"verdict": verdict(cells["verdict"])}).values())
    return table


def details(report, verbose=False, width=WIDTH):
    """Draw one line for each quantity of a report; less of it where `width` is too small."""
    table = new_table(plain(title_of(report)))
    columns = columns_of("verbose" if verbose else "terminal", report.findings)
    if width < WIDTH and len(columns) > NARROW_COLUMNS:
        columns = [column for column in columns if column.name not in ("kind", "shape")]
    for column in columns:
        if column.name == "name":
            add_name(table, column.heading)
        else:
            right = column.is_number
            table.add_column(column.heading, no_wrap=True, justify="right" if right else "left")
    for finding in report.findings:
        cells = {column.name: plain(column.text(finding)) for column in columns}
        table.add_row(*(cells | {"verdict": verdict(finding.verdict)}).values())
    return table


def explanations(report):
    """Return for each quantity that is wrong its line, the kind of mistake, and the sentence."""
    shown: list[Text | Padding] = []
    fixes = set()
    for finding in filter(is_explained, report.findings):
        shown.append(Text(visible(where(finding)), "bold red"))
        if finding.cause is not None:
            kind, message = map(visible, finding.cause)
            shown.append(Padding(Text.assemble((kind, "bold"), f": {message}"), (0, 0, 0, 4)))
        if finding.fix is not None and finding.fix[:4] not in fixes:  # once is enough
            fixes.add(finding.fix[:4])
            shown += corrected(finding, report.findings)
    return shown


def corrected(finding, findings):
    """Return the corrected line of a quantity below the old one, and what it was verified on."""
    shown: list[Text | Padding] = []
    for lines, said in corrections_of(finding, findings):
        shown += [
            Text(f"    {visible(line)}", "red" if sign == "-" else "green") for sign, line in lines
        ]
        shown.append(Padding(Text(visible(said)), (0, 0, 0, 4)))
    return shown


def whole_report(report, verbose=False):
    """Return all that there is to show of one report, to be printed line by line."""
    shown = [details(report, verbose), "", *explanations(report)] if report.findings else []
    return shown + [plain(line) for line in (verdict_line(report), *report.notes)]


def print_reports(out, reports, own, verbose):
    """Print the reports on variants as one table, and each one on a user's own file whole.

    Of reports with an error there is just the line in the table: the sentence is an error's.
    """
    if verbose:
        for report in reports:
            if report.findings:
                out.print(details(report, verbose, out.width), "")
    if reports:
        out.print(summary(reports, out.width), "")
        wrong = [report for report in reports if report.verdict == "mismatch"]
        for variant in dict.fromkeys(report.variant for report in wrong):
            # the same line on every device and in every dtype: say it once
            first = next(report for report in wrong if report.variant == variant)
            print_lines(out, explanations(first))
        for line in (conclusion(reports), *settings_lines(reports), *repeat_lines(reports)):
            out.print(plain(line))
    for report in own:
        if report.findings:
            print_lines(out, whole_report(report, verbose))


def print_lines(out, shown):
    """Print one thing below the other; a line of code is not wrapped, nor cut off."""
    for one in shown:
        out.print(one, soft_wrap=isinstance(one, Text))


def as_text(report: Any) -> str:
    """Return a whole report as plain text."""
    text = io.StringIO()
    # in Jupyter rich would show it at once and leave the file empty
    out = Console(
        file=text,
        width=WIDTH,
        highlight=False,
        emoji=False,
        color_system=None,
        force_jupyter=False,
    )
    print_lines(out, whole_report(report))
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())


def networks_table(rows):
    """Draw the networks of the gallery: `rows` of name, cells and sizes."""
    table = new_table()
    for heading in ("network", "cells", "sizes"):
        table.add_column(heading, no_wrap=True)
    for name, cells, sizes in rows:
        table.add_row(name, cells, ", ".join(f"{key}={value}" for key, value in sizes.items()))
    return table


def losses_table(drift, steps):
    """Draw the losses of a Drift at `steps`, pairs of a label and an index."""
    table = new_table()
    table.add_column("step")
    for heading in ("loss (NumPy)", "loss (PyTorch)", "relative difference", "rounding allows"):
        table.add_column(heading, no_wrap=True, justify="right")
    for label, i in steps:
        table.add_row(
            label,
            f"{drift.actual[i]:.10g}",
            f"{drift.expected[i]:.10g}",
            f"{drift.difference[i] / drift.scale[i]:.1e}",
            f"{drift.tolerance[i] / drift.scale[i]:.1e}",
        )
    return table


def drift_conclusion(drift):
    """Sum up a Drift in one line."""
    relative = drift.difference / drift.scale
    worst = relative.argmax()
    line = (
        f"Largest relative difference at any step: {relative[worst]:.1e}, "
        f"where rounding allows {drift.tolerance[worst] / drift.scale[worst]:.1e}."
    )
    if not math.isfinite(drift.actual[-1]):
        line += " The losses overflow: these steps are too long for these sizes."
    return line


def conclusion(reports):
    """Sum up in one line."""
    judged = [report for report in reports if report.verdict != "error"]
    lines = [judged_conclusion(judged)] if judged else []
    if len(judged) < len(reports):
        lines.append(f"{len(reports) - len(judged)} could not be judged.")
    return " ".join(lines)


def judged_conclusion(reports):
    """Sum up in one sentence reports that have no error."""
    bad = [report for report in reports if report.verdict != "match"]
    comparisons = counted(len(reports), "comparison")
    if not bad:
        variants = counted(len({report.variant for report in reports}), "variant")
        quantities = sum(f.verdict != "missing" for report in reports for f in report.findings)
        return (
            f"All match: {counted(quantities, 'quantity', 'quantities')} of {variants} in "
            f"{comparisons}, each within what rounding allows."
        )
    first = bad[0]
    at = ", ".join(filter(None, (first.device, first.dtype)))
    return (
        f"{len(bad)} of {comparisons} do{'es' * (len(bad) == 1)} not match: {first.variant} "
        f"({at}) differs first in {first.first}."
    )


def settings_lines(reports):
    """Say what torch was set to, where it matters: on a GPU, and for what has no dtype of NumPy."""
    lines = []
    for report in reports:
        if report.settings and (
            report.device != "cpu" or report.dtype not in ("float64", "float32")
        ):
            settings = ", ".join(f"{name} {value}" for name, value in report.settings.items())
            lines.append(f"Settings on {report.device} in {report.dtype}: {settings}.")
    return list(dict.fromkeys(lines))


def repeat_lines(reports):
    """Say of runs that were repeated which quantities were not the same in every bit."""
    repeated, lines = False, []
    for report in reports:
        counts = {f.name: f.distinct for f in report.findings if f.distinct is not None}
        repeated |= bool(counts)
        found = ", ".join(f"{count} of {name}" for name, count in counts.items() if count > 1)
        if found:
            lines.append(
                f"{report.variant} ({report.device}, {report.dtype}) varies from run to run: "
                f"different results {found}."
            )
    if repeated and not lines:
        return ["Every repeated run gave the same bits."]
    return lines
