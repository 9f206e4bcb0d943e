"""A report as HTML, for notebooks."""

from html import escape

from parity_tests.show.table import verdict_sentences

COLOURS = {"match": "green", "kink": "green", "not given": "gray", "inherited": "darkorange"}
HEADINGS = ("quantity", "kind", "shape", "difference", "tolerance", "verdict")


def as_html(report):
    """Return a report as HTML: the conclusion, what is wrong and why, then a folded table."""
    first, *others = map(escape, verdict_sentences(report))
    why = "".join(cause(report, finding) for finding in report.findings if finding.cause)
    head = "".join(f"<th>{heading}</th>" for heading in HEADINGS)
    rows = "".join(row(finding) for finding in report.findings)
    notes = "".join(f"<p>{escape(note)}</p>" for note in report.notes)
    return (
        f"<p><strong>{first}</strong> {' '.join(others)}</p>{why}{notes}"
        "<details><summary>Every quantity</summary>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></details>"
    )


def cause(report, finding):
    """Return as a paragraph where a quantity that is wrong is computed, and why it is wrong."""
    line = report.lines.get(finding.name, finding.name)
    kind, message = finding.cause
    return f"<p><code>{escape(line)}</code><br>{kind}: {escape(message)}</p>"


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
    )
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
