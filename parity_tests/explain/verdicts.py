"""The verdict on every quantity: right, wrong and why, or right but fed with what is wrong."""

from dataclasses import replace

from parity_tests.compare.judge import whole_run
from parity_tests.compare.precision import precision_of
from parity_tests.compare.steps import Steps, differing, judge_steps
from parity_tests.explain.causes import explain


def verdicts(given, reference, x, y, precision=None):
    """Judge each quantity of a hand-written trace given its own inputs.

    `reference` is a Reference that holds the trace's parameters, `precision` what it computes
    in, by default the dtype of the widest parameter. A quantity whose step is right, but which
    is not what a whole run of the reference gives, is `inherited`: its difference and tolerance
    are those of the whole run. Returns `findings, computed`: a Finding for each quantity, and
    the reference's arrays that they were held against.
    """
    precision = precision or precision_of({name: given[name] for name in reference.names})
    steps = Steps(given, reference, x, y, precision)
    findings = judge_steps(steps)
    if all(finding.verdict != "wrong" for finding in findings):
        return findings, steps.computed
    kinks = {f.name: differing(steps, f.name) for f in findings if f.verdict == "kink"}
    whole, computed = whole_run(given, reference, x, y, precision, kinks)
    by_name = {finding.name: finding for finding in whole}
    findings = [settle(steps, finding, by_name.get(finding.name)) for finding in findings]
    inherited = {f.name: computed[f.name] for f in findings if f.verdict == "inherited"}
    return findings, {**steps.computed, **inherited}


def settle(steps, finding, whole):
    """Return a Finding with its cause where it is wrong, or as inherited where that is so."""
    if finding.verdict == "wrong":
        return replace(finding, cause=explain(steps, finding.name))
    if finding.verdict == "match" and whole is not None and whole.verdict == "mismatch":
        return replace(whole, verdict="inherited")
    return finding
