"""What a custom backward pass does beside computing: whether it holds wherever autograd calls it.

Autograd gives a backward pass gradients in any layout, asks for some of its results only, and
lends it tensors that others use. A function that is right on the plain call may be wrong there.
"""

from dataclasses import replace
from typing import NamedTuple

import torch

from handgrad.errors import InputError
from handgrad.findings import Cause
from handgrad.run.hand_written import one_line
from handgrad.run.subject import StandIn, Subject
from handgrad.run.torch_function import Arguments, output_names, run_function, same

ROUNDING = 64  # last bits of what comes in, where a gradient is a small rest of it


class Conduct(NamedTuple):
    """What was found: notes, and pairs of the quantity that it is the fault of, and its Cause."""

    notes: list[str]
    faults: list[tuple[str, Cause]]


class Plain(NamedTuple):
    """The plain call that all others are held against."""

    subject: Subject
    arguments: Arguments
    gradients: dict[str, torch.Tensor | None]

    def run(self, upstream, arguments=None, judged=None):
        """Return the Pass of another call."""
        arguments = arguments or self.arguments
        tensors = {name: arguments.like(name).detach() for name in arguments.places}
        return run_function(self.subject, arguments, tensors, upstream, judged)

    def differing(self, gradients):
        """Return the names whose gradients are others than those of the plain call."""
        return [
            name
            for name, grad in gradients.items()
            if not is_close(grad, self.gradients[name], self.arguments.like(name))
        ]


def conduct_of(subject, arguments):
    """Return the Conduct of a Subject when it is called with Arguments."""
    plain = Plain(subject, arguments, {})
    first, second = plain.run(drawn), plain.run(drawn)
    plain = plain._replace(gradients=first.gradients)
    notes, faults = on_results(arguments, first), on_changes(arguments, first)
    for more_notes, more_faults in (
        on_forward(subject, arguments),
        on_second(arguments, first, second),
        on_frozen(plain),
        on_input_layouts(plain) if not first.is_random else ([], []),  # it would draw others
        on_upstream_layouts(plain),
        on_one_output(plain, len(first.outputs)),
    ):
        notes += more_notes
        faults += more_faults
    return Conduct(list(dict.fromkeys(notes)), faults)


def drawn(outputs):
    """Return a gradient for each output, drawn at random, the same each time."""
    rng = torch.Generator().manual_seed(1)
    return [torch.randn(o.shape, generator=rng).to(o) for o in outputs]


def is_close(one, other, given):
    """Say whether two gradients are the same but for rounding: half of the digits agree."""
    if one is None or other is None:
        return all(grad is None or not grad.any() for grad in (one, other))
    if one.shape != other.shape:
        return False
    eps = max(torch.finfo(given.dtype).eps, torch.finfo(torch.float32).eps)  # it may cast to that
    allowed = eps**0.5 * other.abs().max() + ROUNDING * eps  # what comes in is of size 1
    return bool((((one - other).abs() <= allowed) | (one == other) | (other != other)).all())


def on_results(arguments, first):
    """Say which gradients autograd sums up or casts."""
    names, notes = {place: name for name, place in arguments.places.items()}, []
    for place, shape in first.seen.summed.items():
        notes.append(
            f"backward returns {names[place]}'s gradient in shape {shape} for "
            f"{tuple(arguments.given[place].shape)}: autograd sums it up."
        )
    for place, grad in first.seen.misfits.items():
        given = arguments.given[place]
        if grad.shape == given.shape:
            notes.append(
                f"backward returns {names[place]}'s gradient in {grad.dtype} for {given.dtype}: "
                "autograd casts it.".replace("torch.", "")
            )
    return notes


def on_changes(arguments, first):
    """Say what backward writes over."""
    faults = []
    for name in dict.fromkeys(first.seen.changed):
        what = f"`{name}`, what comes in," if name.startswith("grad_") else name
        message = f"backward writes over {what} that others may use: work on a copy."
        at = name if name.startswith("grad_") else f"grad_{arguments.judged[0]}"
        faults.append((at, Cause("in-place", message)))
    return faults


def on_forward(subject, arguments):
    """Say what forward writes over without saying so, and which tensors it keeps past autograd."""
    function = subject.function
    if function is None:
        return [], []
    given = [a.detach().clone() if isinstance(a, torch.Tensor) else a for a in arguments.given]
    judged = [arguments.places[name] for name in arguments.judged]
    ctx = StandIn(tuple(place in judged for place in range(len(given))))
    with torch.no_grad(), torch.random.fork_rng([]):
        if subject.is_new:
            function.setup_context(ctx, tuple(given), function.forward(*given))
        else:
            function.forward(ctx, *given)
    notes, faults = [], []
    kept = [name for name, value in ctx.attributes().items() if has_tensor(value)]
    if kept:
        notes.append(
            f"forward keeps tensors on ctx: {', '.join(kept)}. What ctx.save_for_backward keeps, "
            "autograd frees in time, and it notices where that is changed."
        )
    for name, place in arguments.places.items():
        is_said = any(given[place] is tensor for tensor in ctx.dirty_tensors)
        if not is_said and not same(given[place], arguments.given[place].detach()):
            at = name if name in arguments.judged else arguments.judged[0]
            message = f"forward changes `{name}` in place and does not say so: ctx.mark_dirty does."
            faults.append((f"grad_{at}", Cause("in-place", message)))
    return notes, faults


def has_tensor(value):
    """Say whether something is a tensor, or has one in it."""
    if isinstance(value, tuple | list):
        return any(has_tensor(one) for one in value)
    return isinstance(value, torch.Tensor)


def on_second(arguments, first, second):
    """Say what has other bits in a second run on the same random numbers."""
    names = output_names(len(first.outputs))
    results = zip(names, first.outputs, second.outputs, strict=True)
    other = [name for name, a, b in results if not same(a, b)]
    for name, grad in first.gradients.items():
        if not same(grad, second.gradients[name]):
            other.append(f"grad_{name}")
    return [f"Other bits in a second run: {', '.join(other)}."] if other else [], []


def on_frozen(plain):
    """Say what goes wrong where one of several inputs needs no gradient."""
    arguments, unneeded = plain.arguments, []
    faults: list[tuple[str, Cause]] = []
    for name, place in arguments.places.items():
        rest = tuple(other for other in arguments.judged if other != name)
        if not rest:
            continue
        found, more = tried(plain, f"where `{name}` needs no gradient", drawn, judged=rest)
        faults += more
        if found is not None and place in found.seen.unneeded:
            unneeded.append(f"`{name}`")
    if not unneeded:
        return [], faults
    names = ", ".join(unneeded)
    return [
        f"backward returns a gradient of {names} also where none is needed: ctx.needs_input_grad "
        "says so, and saves the work."
    ], faults


def on_input_layouts(plain):
    """Say what goes wrong where the inputs lie in memory in another way."""
    arguments, where = plain.arguments, "where inputs are not contiguous"
    given = tuple(turned(a) if isinstance(a, torch.Tensor) else a for a in arguments.given)
    found, faults = tried(plain, where, drawn, arguments=arguments._replace(given=given))
    if found is None:  # some functions ask for contiguous inputs, and are right to say so
        return [cause.message for _, cause in faults], []
    return [], faults


def on_upstream_layouts(plain):
    """Say what goes wrong where the gradient that comes in lies in memory in another way."""

    def ones(outputs):
        return [torch.ones_like(output) for output in outputs]

    def one_expanded(outputs):
        return [torch.ones((), dtype=o.dtype).to(o).expand_as(o) for o in outputs]

    def turned_upstream(outputs):
        return [turned(grad) for grad in drawn(outputs)]

    where = "where the gradient that comes in is not contiguous"
    _, faults = tried(plain, where, turned_upstream)
    of_ones = plain._replace(gradients=plain.run(ones).gradients)
    where = "where the gradient that comes in is one number, expanded, as that of a sum is"
    return [], faults + tried(of_ones, where, one_expanded)[1]


def on_one_output(plain, count):
    """Say what goes wrong where only one of several outputs is used."""
    faults = []
    for number, name in enumerate(output_names(count)) if count > 1 else ():

        def zeros(outputs, number=number):
            return [g if i == number else 0 * g for i, g in enumerate(drawn(outputs))]

        def alone(outputs, number=number):
            return [g if i == number else None for i, g in enumerate(drawn(outputs))]

        base = plain._replace(gradients=plain.run(zeros).gradients)
        faults += tried(base, f"where `{name}` alone is used", alone)[1]
    return [], faults


def tried(plain, where, upstream, **how):
    """Return the Pass of another call, None where that fails, and its faults."""
    try:
        found = plain.run(upstream, **how)
    except (InputError, KeyboardInterrupt):
        raise
    except BaseException as error:
        at = how.get("judged", plain.arguments.judged)[0]
        return None, [
            (f"grad_{at}", Cause("raises", f"{where}, it raises {one_line(error).rstrip('.')}."))
        ]
    return found, [
        (f"grad_{name}", Cause("other-call", f"`grad_{name}` has other numbers {where}."))
        for name in plain.differing(found.gradients)
    ]


def turned(tensor):
    """Return the same numbers in a layout that is not contiguous, as far as the shape has one."""
    if tensor.ndim > 1:
        return tensor.detach().transpose(0, -1).contiguous().transpose(0, -1)
    return torch.stack([tensor.detach()] * 2, -1)[..., 0]


def with_faults(findings, faults):
    """Return Findings, as wrong where a right gradient is at fault with all the same.

    A fault of what is no gradient here is that of the first.
    """
    known = [finding.name for finding in findings if finding.kind == "gradient"]
    causes: dict[str, Cause] = {}
    for name, cause in faults:
        causes.setdefault(name if name in known else known[0], cause)
    return [
        replace(finding, verdict="wrong", cause=causes[finding.name])
        if finding.name in causes and finding.verdict != "wrong"
        else finding
        for finding in findings
    ]
