"""Two records against each other, for a terminal."""

from rich.markup import escape

from parity_tests.show.table import (
    conclusion,
    details,
    explanations,
    new_table,
    print_lines,
    summary,
)


def print_diff(out, titles, found, verbose):
    """Print a Difference: the environments first, then the table, and why runs differ."""
    if found.environments:
        out.print(environments_table(titles, found.environments), "")
    else:
        out.print("Both records were made in the same environment.", "")
    if verbose:
        for report in found.reports:
            out.print(details(report), "")
    out.print(summary(found.reports, out.width), "")
    for report in told_apart(found.reports):
        out.print(f"{report.variant}, {report.dtype}:")
        print_lines(out, explanations(report))
    for sentence in sentences(found):
        out.print(escape(sentence))
    out.print(conclusion(found.reports))


def told_apart(reports):
    """Return the Reports that have a cause to show, one for each cause."""
    causes = {f.cause: report for report in reversed(reports) for f in report.findings if f.cause}
    return [report for report in reports if report in causes.values()]


def environments_table(titles, rows):
    """Draw what differs between two environments."""
    table = new_table()
    table.add_column("differs", no_wrap=True)
    for title in titles:
        table.add_column(escape(title), overflow="fold")
    for name, ours, theirs in rows:
        table.add_row(escape(name), escape(shown(ours)), escape(shown(theirs)))
    return table


def shown(value):
    """Return a value of an environment as text."""
    return "-" if value is None else str(value)


def sentences(found):
    """Return all that there is to say about a Difference beside its table."""
    if all(f.difference == 0 for report in found.reports for f in report.findings):
        return [*found.alone, "All numbers are the same in both."]
    worst = max(found.reports, key=lambda report: report.drift.largest)
    notes = [note for report in found.reports for note in report.notes]
    notes += [
        f"The losses of {report.variant} in {report.dtype} overflow, and say nothing from there on."
        for report in found.reports
        if report.drift.overflows
    ]
    return [
        *notes,
        *found.alone,
        f"In training the losses drift apart by {worst.drift.largest:.1e} of their size at most "
        f"({worst.variant}, {worst.dtype}).",
    ]
