"""Two records against each other, for a terminal."""

from handgrad.show.columns import plain
from handgrad.show.table import (
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
            out.print(details(report, verbose, out.width), "")
    out.print(summary(found.reports, out.width), "")
    for report in told_apart(found.reports):
        out.print(plain(f"{report.variant}, {report.dtype}:"))
        print_lines(out, explanations(report))
    for sentence in (*sentences(found), conclusion(found.reports)):
        out.print(plain(sentence))


def told_apart(reports):
    """Return the Reports that have a cause to show, one for each cause."""
    causes = {f.cause: report for report in reversed(reports) for f in report.findings if f.cause}
    told = set(map(id, causes.values()))
    return [report for report in reports if id(report) in told]


def environments_table(titles, rows):
    """Draw what differs between two environments."""
    table = new_table()
    for heading in ("differs", *titles):
        table.add_column(plain(heading), overflow="fold")
    for name, first, second in rows:
        table.add_row(plain(name), plain(shown(first)), plain(shown(second)))
    return table


def shown(value):
    """Return a value of an environment as text."""
    return "-" if value is None else str(value)


def sentences(found):
    """Return all that there is to say about a Difference beside its table."""
    if all(f.difference == 0 for report in found.reports for f in report.findings):
        return [*found.alone, "All numbers are the same in both."]
    notes = [note for report in found.reports for note in report.notes]
    trained = [report for report in found.reports if report.drift is not None]
    notes += [
        f"The losses of {report.variant} in {report.dtype} overflow, and say nothing from there on."
        for report in trained
        if report.drift.overflows
    ]
    return [*notes, *found.alone, *drift_sentences(trained)]


def drift_sentences(trained):
    """Say how far the losses of Reports drift apart; nothing where there are none."""
    if not trained:
        return []
    worst = max(trained, key=lambda report: report.drift.largest)
    return [
        f"In training the losses drift apart by {worst.drift.largest:.1e} of their size at most "
        f"({worst.variant}, {worst.dtype})."
    ]
