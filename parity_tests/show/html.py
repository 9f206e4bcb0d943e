"""A report as an HTML table, for notebooks."""

from html import escape

from parity_tests.show.table import verdict_line

COLOURS = {"match": "green", "kink": "green", "not given": "gray", "inherited": "darkorange"}
HEADINGS = ("quantity", "kind", "shape", "difference", "tolerance", "verdict", "why")


def as_html(report):
    """Return a report as HTML: the conclusion, then a row for each quantity."""
    head = "".join(f"<th>{heading}</th>" for heading in HEADINGS)
    rows = "".join(row(finding) for finding in report.findings)
    notes = "".join(f"<p>{escape(note)}</p>" for note in report.notes)
    return (
        f"<p><strong>{escape(verdict_line(report))}</strong></p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{notes}"
    )


def row(finding):
    """Return one finding as a row."""
    colour = COLOURS.get(finding.verdict, "red")
    cells = (
        escape(finding.name),
        finding.kind,
        " x ".join(map(str, finding.shape)) or "number",
        f"{finding.difference:.1e}",
        f"{finding.tolerance:.1e}",
        f'<span style="color: {colour}">{finding.verdict}</span>',
        escape(finding.cause.message) if finding.cause else "",
    )
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
