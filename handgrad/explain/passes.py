"""What finite differences and a reference say of both passes, in one sentence."""

from handgrad.findings import FAILED


def undecided(slopes):
    """Say for which gradients no slope could be measured, and why."""
    unsure = ", ".join(slope.name for slope in slopes if slope.agrees is None)
    return (
        f"cannot tell for the gradient of {unsure}, every direction crosses a kink, or the loss is "
        "too rough."
    )


def sentence(slopes, findings, is_own=False):
    """Say in words which of forward and backward is wrong.

    `findings` are those against a reference, which `is_own` says is the forward pass itself, or
    empty where there is none. What is said goes no further than the slopes that were measured, and
    never against a Finding.
    """
    wrong = [s.name for s in slopes if s.agrees is False]
    if is_own:
        return against_itself(wrong, findings)
    if not slopes:
        return "Backward against forward: no gradient of a parameter was given."
    if not wrong and any(s.agrees is None for s in slopes):
        return f"Backward against forward: {undecided(slopes)}"
    if findings:
        return against_reference(wrong, [s.name for s in slopes], findings)
    if wrong:
        return f"The backward pass does not differentiate the forward pass: {no_slope(wrong)}."
    return (
        "The backward pass differentiates the forward pass. Whether the forward pass is the "
        "network that was meant, and which line a mistake is in, only a reference can tell."
    )


def against_itself(wrong, findings):
    """Say what the forward pass itself, as the reference, says of the backward pass."""
    if wrong:
        return f"The backward pass does not differentiate the forward pass: {no_slope(wrong)}."
    if any(finding.verdict in FAILED for finding in findings):
        return (
            "The gradients of the parameters are the slopes of the loss, as far as finite "
            "differences can tell, though not every step to them is right."
        )
    return (
        "The reference is your own forward pass. Whether that is the network that was meant, only "
        "another one can tell."
    )


def no_slope(names):
    """Say of which quantities the gradient is wrong."""
    return f"the gradient of {', '.join(names)} is not the slope of the loss"


def against_reference(wrong, measured, findings):
    """Say which of forward and backward is wrong, by slopes and by a reference.

    `wrong` are those `measured` whose gradient is not the slope of the loss.
    """
    verdicts = {f.verdict for f in findings}
    failed = [f for f in findings if f.verdict == "wrong"]
    forward = [f for f in failed if f.kind in ("value", "loss")]
    differ = [f.name for f in findings if f.verdict in ("wrong", "inherited")]
    if wrong and forward:
        return (
            "Forward and backward are two different networks: the forward pass is not the "
            f"reference's, and {no_slope(wrong)} that it computes."
        )
    if wrong and failed:
        return f"The forward pass is right, the backward pass is wrong: {no_slope(wrong)}."
    if wrong:
        return (
            f"Finite differences see what no step shows: {no_slope(wrong)}, though every "
            "step that could be judged is the reference's."
        )
    if forward:
        return (
            "The backward pass differentiates the forward pass, but the forward pass is another "
            "network than the reference."
        )
    if any(name.removeprefix("grad_") in measured for name in differ):
        return (
            "Finite differences find nothing wrong in the gradients of the parameters: what is "
            "wrong is smaller than they can tell, or one step takes out what another put in."
        )
    if failed:
        return "The gradients of the parameters are right, though not every step to them is."
    if not verdicts.isdisjoint({"missing", "inconclusive", "accumulated"}):
        return "The backward pass differentiates the forward pass, as far as either can be judged."
    return "The backward pass differentiates the forward pass, and both are the reference's."
