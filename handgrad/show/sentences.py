"""What there is to say of one report, in sentences, for every output.

They are as they are: whoever shows them makes what comes from outside safe.
"""

RIGHT = ("match", "subgradient", "scaled")
WRONG = ("wrong", "mismatch")
SUBGRADIENT = "A subgradient is right as well: at a kink several slopes are, and any will do."


def stopped(text):
    """Return a sentence with one full stop at its end."""
    text = str(text).rstrip()
    return text if text.endswith((".", "!", "?")) else f"{text}."


def title_of(report):
    """Return what a report is on: its variant, device and dtype, where it has them."""
    return ", ".join(filter(None, (report.variant, report.device, report.dtype)))


def names_of(findings, *verdicts):
    """Return the names of the Findings with one of these verdicts."""
    return [finding.name for finding in findings if finding.verdict in verdicts]


def verdict_line(report):
    """Sum up one report in one line."""
    return " ".join(verdict_sentences(report))


def verdict_sentences(report):
    """Return the sentences that sum up one report, the most important one first."""
    if report.error is not None:
        return [f"Error: {stopped(report.error)}"]
    wrong = names_of(report.findings, *WRONG)
    accumulated = names_of(report.findings, "accumulated")
    missing = names_of(report.findings, "missing")
    lines = []
    if wrong:
        lines.append(f"Wrong: {', '.join(wrong)}.")
    elif not accumulated:
        lines.append(all_match(len(names_of(report.findings, *RIGHT))))
    if inherited := len(names_of(report.findings, "inherited")):
        lines.append(
            f"{inherited}{' more' if wrong else ''} differ{'s' * (inherited == 1)}, as what goes "
            f"into {'it' if inherited == 1 else 'them'} does."
        )
    if accumulated:
        lines.insert(
            len(lines) if wrong else 0,
            f"Accumulated: {', '.join(accumulated)}: every step is within rounding, the whole run "
            "is not.",
        )
    if missing:
        lines.append(f"Missing, so not judged: {', '.join(missing)}.")
    if names_of(report.findings, "subgradient"):
        lines.append(SUBGRADIENT)
    return lines


def all_match(count):
    """Say that so many quantities match."""
    if not count:
        return "Nothing was judged."
    if count == 1:
        return "1 quantity matches, within what rounding allows."
    return f"All {count} quantities match, each within what rounding allows."


def is_explained(finding):
    """Say whether there is more to tell of a Finding than its verdict: a cause, or a line."""
    return bool(finding.cause or (finding.verdict == "wrong" and finding.line))


def where(finding):
    """Return the line that computes a quantity, or its name where that is not known."""
    return str(finding.line or finding.name)


def corrections_of(finding, findings):
    """Return for a corrected line its diff, as `diff_of` has it, and a sentence; then the other.

    The other possibility is that of the two passes the other one is not what was meant.
    """
    fix, other = finding.fix, finding.fix.otherwise
    found = [(diff_of(fix), verified(fix, findings))]
    if other is not None:
        which = "forward" if other.is_forward else "backward"
        said = f"Or, if the {which} pass is not what you meant, with this line of it all is right."
        found.append((diff_of(other), said))
    return found


def diff_of(fix):
    """Return the lines of a two-line diff, of what the line is and what it should be: marked."""
    width = len(str(fix.number + max(len(fix.old.splitlines()), len(fix.new.splitlines())) - 1))
    return [
        (sign, f"{sign} {number:>{width}}  {line}")
        for sign, text in (("-", fix.old), ("+", fix.new))
        for number, line in enumerate(text.splitlines(), fix.number)
    ]


def verified(fix, findings):
    """Say what a corrected line makes right, and what it was run on."""
    same = [f"`{f.name}`" for f in findings if f.fix is not None and f.fix[:4] == fix[:4]]
    others = fix.verified_on - 1
    ran = "your data" if not others else f"your data and {others} other draw{'s' * (others > 1)}"
    names = " and ".join(filter(None, [", ".join(same[:-1]), *same[-1:]]))
    line = "this line of the forward pass" if fix.is_forward else "this line"
    said = f"With {line} {names} {'is' if len(same) == 1 else 'are'} right, run on {ran}."
    more = [text for text in fix.alternatives if "\n" not in text]
    return said + (f" As good: {' or '.join(more)}" if more else "")
