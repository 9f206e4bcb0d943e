"""Where the loss itself contradicts what a reference says: it has the last word at a kink.

One of several right slopes is no verdict that overrules finite differences.
"""

from dataclasses import replace

import numpy as np

from handgrad.errors import InputError
from handgrad.explain.finite_difference import not_the_slope, slopes, suspects
from handgrad.findings import FAILED
from handgrad.run.hand_written import can_run, run_again
from handgrad.run.precision import FLOAT64, arithmetic
from handgrad.run.reference import run_reference


def held_against_the_loss(network, actual, precision, findings):
    """Hold Findings against differences of the loss; return them and the Slopes measured.

    `actual` is the hand-written trace of a run in `precision`, by which they were judged.
    """
    actual = at_the_same_point(network, actual, precision, findings)
    measured = slopes(network, actual, suspects(findings))
    if not has_subgradients(findings):
        return findings, measured
    measured = telling(network, measured)
    return contradicted(findings, measured), measured


def at_the_same_point(network, actual, precision, findings):
    """Return the hand-written trace that finite differences, which run in float64, can contradict.

    What is tied in a narrower dtype is not tied in float64, and has but one slope there.
    """
    has_several = any(finding.verdict == "subgradient" for finding in findings)
    if not has_several or not can_run(network) or precision.name == "float64":
        return actual
    try:
        return run_again(network, np.float64)
    except InputError:  # as it is judged then: in the dtype it runs in
        return actual


def has_subgradients(findings):
    """Say whether nothing is wrong, but some gradient is one of several right ones."""
    verdicts = {finding.verdict for finding in findings}
    return "subgradient" in verdicts and not verdicts.intersection(FAILED)


def telling(network, measured):
    """Return Slopes without those that contradict the reference's own gradient as well."""
    off = {slope.name for slope in measured if slope.agrees is False}
    if not off:
        return measured
    with arithmetic(FLOAT64):
        own = slopes(network, run_reference(network, FLOAT64).quantities, off)
    blind = {slope.name for slope in own if slope.agrees is False}
    return [slope for slope in measured if slope.name not in blind]


def contradicted(findings, measured):
    """Return Findings, as wrong where a gradient is called right and the loss itself says no."""
    off = {slope.name for slope in measured if slope.agrees is False}
    return [
        replace(finding, verdict="wrong", cause=not_the_slope(finding.name))
        if finding.name.removeprefix("grad_") in off and finding.kind == "gradient"
        else finding
        for finding in findings
    ]
