"""Reports as the JSON object of `handgrad check --json`: stable, version 2."""

import json
from typing import Any

from handgrad.show.columns import columns_of, number

VERSION = 2


def to_json(reports, environment):
    """Return the reports of a check as a JSON text; `environment` is a dict of where it ran."""
    return text(environment=environment, runs=[run_object(report) for report in reports])


def diff_json(found):
    """Return a Difference of two records as a JSON text."""
    return text(
        environments=[{"device": record.device, **record.environment} for record in found.records],
        alone=found.alone,
        runs=[run_object(report) for report in found.reports],
    )


def text(**parts):
    """Return a JSON text of these parts."""
    return json.dumps({"version": VERSION, **parts}, indent=2, allow_nan=False)


def run_object(report: Any) -> dict[str, Any]:
    """Return one report as an object."""
    return {
        "source": report.source,
        "variant": report.variant,
        "device": report.device,
        "dtype": report.dtype,
        "reference": report.reference,
        "verdict": report.verdict,
        "error": report.error,
        "first": report.first,
        "settings": report.settings,
        "notes": report.notes,
        **({} if report.drift is None else {"drift": number(report.drift.largest)}),
        "quantities": [
            {column.name: column.data(finding) for column in columns_of("json", [finding])}
            for finding in report.findings
        ],
    }
