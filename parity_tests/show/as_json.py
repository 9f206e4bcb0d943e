"""Reports as the JSON object of `handgrad check --json`: stable, version 1."""

import json
import math

from parity_tests.records.environment import environment


def to_json(reports):
    """Return the reports as a JSON text."""
    runs = [run_object(report) for report in reports]
    return json.dumps(
        {"version": 1, "environment": environment(), "runs": runs}, indent=2, allow_nan=False
    )


def diff_json(found):
    """Return a Difference of two records as a JSON text."""
    environments = [{"device": record.device, **record.environment} for record in found.records]
    runs = [run_object(report) for report in found.reports]
    return json.dumps(
        {"version": 1, "environments": environments, "alone": found.alone, "runs": runs},
        indent=2,
        allow_nan=False,
    )


def run_object(report):
    """Return one report as an object."""
    return {
        "variant": report.variant,
        "device": report.device,
        "dtype": report.dtype,
        "verdict": "match" if report.ok else "mismatch",
        "first": report.first,
        "settings": report.settings,
        "notes": report.notes,
        **({"drift": number(report.drift.largest)} if report.drift else {}),
        "quantities": [quantity_object(f, report.distinct.get(f.name)) for f in report.findings],
    }


def quantity_object(finding, distinct=None):
    """Return one finding as an object; `distinct` counts its results where it ran repeatedly."""
    counted = {} if distinct is None else {"distinct": distinct}
    return {
        "name": finding.name,
        "kind": finding.kind,
        "verdict": finding.verdict,
        "difference": number(finding.difference),
        "tolerance": number(finding.tolerance),
        "shape": list(finding.shape),
        "cause": finding.cause._asdict() if finding.cause else None,
        **counted,
    }


def number(value):
    """Return a number, or the string "nan", "inf" or "-inf" that JSON has no number for."""
    return value if math.isfinite(value) else str(value)
