"""A report as HTML, for notebooks."""

import html
from typing import Any

from handgrad.show.columns import colour, columns_of, visible
from handgrad.show.sentences import (
    corrections_of,
    is_explained,
    verdict_sentences,
    where,
)

DIFF = {"-": "wrong", "+": "match"}  # the colours of the lines, as those of verdicts


def escape(text):
    """Return a text as HTML that shows just that text."""
    return html.escape(visible(text))


def as_html(report: Any) -> str:
    """Return a report as HTML: the conclusion, what is wrong and why, then a folded table."""
    first, *others = map(escape, verdict_sentences(report))
    explained = filter(is_explained, report.findings)
    why = "".join(explanation(finding, report.findings) for finding in explained)
    notes = "".join(f"<p>{escape(note)}</p>" for note in report.notes)
    above = f"<p><strong>{first}</strong> {' '.join(others)}</p>{why}{notes}"
    return above + (table(report.findings) if report.findings else "")


def explanation(finding, findings):
    """Return where a quantity that is wrong is computed, why it is wrong, and the right line."""
    why = "<br>{}: {}".format(*map(escape, finding.cause)) if finding.cause else ""
    above = f"<p><code>{escape(where(finding))}</code>{why}</p>"
    fixes = [] if finding.fix is None else corrections_of(finding, findings)
    return above + "".join(f"{diff(lines)}<p>{escape(said)}</p>" for lines, said in fixes)


def diff(lines):
    """Return the lines of a diff in their colours."""
    coloured = (
        f'<span style="color: {colour(DIFF[sign]).css}">{escape(line)}</span>'
        for sign, line in lines
    )
    return f"<pre>{'<br>'.join(coloured)}</pre>"


def table(findings):
    """Return Findings as a table that is folded away."""
    columns = columns_of("notebook", findings)
    head = "".join(f"<th>{column.heading}</th>" for column in columns)
    rows = "".join(row(columns, finding) for finding in findings)
    return (
        "<details><summary>Every quantity</summary>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></details>"
    )


def row(columns, finding):
    """Return one Finding as a row."""
    cells = {column.name: escape(column.text(finding)) for column in columns}
    cells["verdict"] = (
        f'<span style="color: {colour(finding.verdict).css}">{cells["verdict"]}</span>'
    )
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells.values()) + "</tr>"
