"""The verdict on every quantity: right, wrong and why, or right but fed with what is wrong."""

from dataclasses import replace

from parity_tests.compare.judge import whole_run, widest
from parity_tests.compare.steps import Steps, differing, judge_steps
from parity_tests.explain.causes import explain


def verdicts(given, reference, x, y):
    """Judge each quantity of a hand-written trace given its own inputs; return the Findings.

    `reference` is a Reference that holds the trace's parameters. A quantity whose step is
    right, but which is not what a whole run of the reference gives, is `inherited`: its
    difference and tolerance are those of the whole run.
    """
    steps = Steps(given, reference, x, y, widest({name: given[name] for name in reference.names}))
    findings = judge_steps(steps)
    if all(finding.verdict != "wrong" for finding in findings):
        return findings
    kinks = {f.name: differing(steps, f.name) for f in findings if f.verdict == "kink"}
    whole = {finding.name: finding for finding in whole_run(given, reference, x, y, kinks)}
    return [settle(steps, finding, whole.get(finding.name)) for finding in findings]


def settle(steps, finding, whole):
    """Return a Finding with its cause where it is wrong, or as inherited where that is so."""
    if finding.verdict == "wrong":
        return replace(finding, cause=explain(steps, finding.name))
    if finding.verdict == "match" and whole is not None and whole.verdict == "mismatch":
        return replace(whole, verdict="inherited")
    return finding
