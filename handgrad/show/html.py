"""Reports as one HTML file each: nothing to load, no script, light and dark."""

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from handgrad.show.columns import RUN_COLUMNS, RUN_NUMBERS, columns_of, visible
from handgrad.show.curves import drift_chart, losses_chart
from handgrad.show.diff import sentences, shown, told_apart
from handgrad.show.heat import heat_of
from handgrad.show.sentences import (
    corrections_of,
    is_explained,
    title_of,
    verdict_line,
    where,
)
from handgrad.show.table import conclusion, settings_lines
from handgrad.show.target import write_whole


def safe(value):
    """Return what a template writes, with what cannot be seen as escapes, but for line breaks."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return "\n".join(map(visible, value.split("\n")))


templates = Environment(
    loader=PackageLoader("handgrad.show"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=StrictUndefined,
    finalize=safe,
)
templates.globals.update(
    heat_of=heat_of,
    losses_chart=losses_chart,
    drift_chart=drift_chart,
    verdict_line=verdict_line,
    shown=shown,
    columns_of=columns_of,
    run_columns=RUN_COLUMNS,
    run_numbers=RUN_NUMBERS,
    title_of=title_of,
    is_explained=is_explained,
    where=where,
    corrections_of=corrections_of,
)

WORST = ("loss", "worst", "difference / tolerance")


def write_check(path, reports, environment, force=False):
    """Write the reports of a check into an HTML file."""
    write(
        path,
        force,
        reports,
        title="Handgrad check",
        sides=("hand-written", reference(reports)),
        notes=settings_lines(reports),
        environment=known([(name, (value,)) for name, value in environment.items()]),
        titles=["this machine"],
        differing=(),
        headings=("variant", "device", "dtype", "compared", *WORST, "verdict"),
    )


def reference(reports):
    """Return what the hand-written sides of Reports were compared with."""
    by_module = all(report.reference == "module" for report in reports)
    return "PyTorch" if by_module else "the reference"


def write_diff(path, titles, found, force=False):
    """Write a Difference of two records, files of these `titles`, into an HTML file."""
    write(
        path,
        force,
        found.reports,
        title=f"Handgrad diff {' '.join(titles)}",
        sides=titles,
        notes=[*causes(found.reports), *sentences(found)],
        environment=side_by_side(found),
        titles=titles,
        differing={name for name, *_ in found.environments},
        headings=("variant", "dtype", *WORST, "drift", "verdict"),
    )


def causes(reports):
    """Return a sentence for each cause, with the run where it is first met."""
    return [
        f"{report.variant}, {report.dtype}, {finding.name}: {finding.cause.message}"
        for report in told_apart(reports)
        for finding in report.findings
        if finding.cause
    ]


def side_by_side(found):
    """Return both environments as rows: a name and both values, first what differs."""
    first, second = ({"device": r.device, **r.environment} for r in found.records)
    differing = [(name, values) for name, *values in found.environments]
    same = [(name, (value, second.get(name))) for name, value in first.items()]
    return known(differing + [row for row in same if row[0] not in dict(differing)])


def known(rows):
    """Leave out what no side has."""
    return [(name, sides) for name, sides in rows if set(sides) != {None}]


def write(path, force, reports, **about):
    """Write one page."""
    page = templates.get_template("report.html.j2").render(
        reports=reports, conclusion=conclusion(reports), **about
    )
    write_whole(path, page.encode(), force)
