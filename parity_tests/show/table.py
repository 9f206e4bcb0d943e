"""Reports as tables for a terminal."""

import io
import math
import os
import sys

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

WIDTH = 104  # what the widest table needs


NARROWEST = 80  # what the other tables need: a smaller terminal wraps them, nothing is cut off


def console(stderr=False):
    """Make a console that is wide enough for the tables, also when the output goes to a file."""
    stream = sys.stderr if stderr else sys.stdout
    chosen = stream.isatty() or "COLUMNS" in os.environ
    width = Console(stderr=stderr).width if chosen else WIDTH
    return Console(stderr=stderr, width=max(width, NARROWEST), highlight=False)


def new_table(title=None):
    """Make an empty table in the style of all others."""
    return Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))


def summary(reports, width=WIDTH):
    """Draw one line for each report; less of it where `width` is too small for all."""
    wide = width >= WIDTH
    drifts = any(report.drift for report in reports)
    columns = {
        "variant": lambda report: report.variant,
        "device": lambda report: report.device,
        "dtype": lambda report: report.dtype,
        "compared": lambda report: str(len(report.findings)),
        "loss": lambda report: "" if report.loss is None else f"{report.loss:.6g}",
        "worst": lambda report: report.worst.name,
        "difference / tolerance": lambda report: (
            f"{report.worst.difference:.1e} / {report.worst.tolerance:.1e}"
        ),
        "ratio": lambda report: f"{report.worst.ratio:.3g}",
        "drift": lambda report: f"{report.drift.largest:.1e}",
        "verdict": lambda report: verdict("match" if report.ok else "mismatch"),
    }
    left_out = {"ratio"} if wide else {"compared", "difference / tolerance"}
    left_out |= {"device", "compared"} if drifts else {"drift"}
    table = new_table()
    for heading in (shown := [name for name in columns if name not in left_out]):
        right = heading in ("compared", "loss")
        table.add_column(heading, no_wrap=not right, justify="right" if right else "left")
    for report in reports:
        table.add_row(*(columns[heading](report) for heading in shown))
    return table


def details(report):
    """Draw one line for each quantity of a report."""
    table = new_table(", ".join(filter(None, (report.variant, report.device, report.dtype))))
    for heading in ("quantity", "kind", "shape"):
        table.add_column(heading, no_wrap=True)
    for heading in ("difference", "tolerance", "ratio"):
        table.add_column(heading, no_wrap=True, justify="right")
    if report.distinct:
        table.add_column("distinct", no_wrap=True, justify="right")
    table.add_column("verdict", no_wrap=True)
    for finding in report.findings:
        table.add_row(
            finding.name,
            finding.kind,
            " x ".join(map(str, finding.shape)) or "number",
            f"{finding.difference:.2e}",
            f"{finding.tolerance:.2e}",
            f"{finding.ratio:.3g}",
            *([str(report.distinct.get(finding.name, ""))] if report.distinct else []),
            verdict(finding.verdict),
        )
    return table


COLOURS = {"match": "green", "kink": "green", "not given": "dim", "inherited": "yellow"}


def verdict(word):
    """Colour a verdict."""
    return f"[{COLOURS.get(word, 'bold red')}]{word}[/]"


def explanations(report):
    """Return for each quantity that is wrong its line, the kind of mistake, and the sentence."""
    shown: list[Text | Padding] = []
    for finding in report.findings:
        if finding.cause is not None:
            line = report.lines.get(finding.name, finding.name)
            kind, message = finding.cause
            shown.append(Text(line, "bold red"))
            shown.append(Padding(f"[bold]{kind}[/]: {escape(message)}", (0, 0, 0, 4)))
    return shown


def verdict_line(report):
    """Sum up one report in one line."""
    return " ".join(verdict_sentences(report))


def verdict_sentences(report):
    """Return the sentences that sum up one report, the most important one first."""
    given = [f for f in report.findings if f.verdict != "not given"]
    count = {word: sum(f.verdict == word for f in given) for word in ("inherited", "kink")}
    wrong = [f.name for f in given if f.verdict in ("wrong", "mismatch")]
    if wrong:
        lines = [f"Wrong: {', '.join(wrong)}."]
        if count["inherited"]:
            lines.append(
                f"{count['inherited']} more differ{'s' * (count['inherited'] == 1)} just because "
                "what goes into them does."
            )
    else:
        lines = [f"All {len(given)} quantities match, each within what rounding allows."]
    missing = [f.name for f in report.findings if f.verdict == "not given"]
    if missing:
        lines.append(f"Not given, so not judged: {', '.join(missing)}.")
    if count["kink"]:
        lines.append(
            "A kink is right as well: at exactly 0 a ReLU, say, has every slope from 0 to 1."
        )
    return lines


def whole_report(report):
    """Return all that there is to show of one report, to be printed line by line."""
    shown = [details(report), "", *explanations(report), verdict_line(report)]
    return shown + [escape(note) for note in report.notes]


def print_reports(out, reports, own, verbose):
    """Print the reports on variants as one table, and each one on a user's own file whole."""
    if verbose:
        for report in reports:
            out.print(details(report), "")
    if reports:
        out.print(summary(reports, out.width), "")
        wrong = [report for report in reports if not report.ok]
        for variant in dict.fromkeys(report.variant for report in wrong):
            # the same line on every device and in every dtype: say it once
            first = next(report for report in wrong if report.variant == variant)
            print_lines(out, explanations(first))
        out.print(conclusion(reports))
        for line in (*settings_lines(reports), *repeat_lines(reports)):
            out.print(line)
    for report in own:
        print_lines(out, whole_report(report))


def settings_lines(reports):
    """Say what torch was set to, where it matters: on a GPU, and for what has no dtype of NumPy."""
    lines = []
    for report in reports:
        if report.device != "cpu" or report.dtype not in ("float64", "float32"):
            settings = ", ".join(f"{name} {value}" for name, value in report.settings.items())
            lines.append(f"Settings on {report.device} in {report.dtype}: {settings}.")
    return dict.fromkeys(lines)


def repeat_lines(reports):
    """Say of runs that were repeated which quantities were not the same in every bit."""
    repeated = [report for report in reports if report.distinct]
    lines = []
    for report in repeated:
        varying = {name: count for name, count in report.distinct.items() if count > 1}
        if varying:
            found = ", ".join(f"{count} of {name}" for name, count in varying.items())
            lines.append(
                f"{report.variant} ({report.device}, {report.dtype}) varies from run to run: "
                f"different results {found}."
            )
    if repeated and not lines:
        return ["Every repeated run gave the same bits."]
    return lines


def print_lines(out, shown):
    """Print one thing below the other; a line of code is not wrapped, nor cut off."""
    for one in shown:
        out.print(one, soft_wrap=isinstance(one, Text))


def as_text(report):
    """Return a whole report as plain text."""
    text = io.StringIO()
    # in Jupyter rich would show it at once and leave the file empty
    out = Console(file=text, width=WIDTH, highlight=False, force_jupyter=False)
    print_lines(out, whole_report(report))
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())


def conclusion(reports):
    """Sum up in one line."""
    bad = [report for report in reports if not report.ok]
    if not bad:
        names = len({report.variant for report in reports})
        quantities = sum(len(report.findings) for report in reports)
        return (
            f"All match: {quantities} quantities of {names} variant{'s' * (names > 1)} in "
            f"{len(reports)} comparison{'s' * (len(reports) > 1)}, each within what rounding "
            "allows."
        )
    first = bad[0]
    where = ", ".join(filter(None, (first.device, first.dtype)))
    return (
        f"{len(bad)} of {len(reports)} comparison{'s' * (len(reports) > 1)} "
        f"do{'es' * (len(bad) == 1)} not match: {first.variant} ({where}) differs first in "
        f"{first.first}."
    )


def variants_table(rows):
    """Draw the variants: `rows` of name, cells and sizes."""
    table = new_table()
    for heading in ("variant", "cells", "sizes"):
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
            f"{drift.ours[i]:.10g}",
            f"{drift.theirs[i]:.10g}",
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
    if not math.isfinite(drift.ours[-1]):
        line += " The losses overflow: these steps are too long for these sizes."
    return line
