"""What the tests of check_function share."""

from torch.autograd import Function


def wrong(report):
    """Return the kinds of the causes of what is wrong, by name."""
    return {f.name: f.cause and f.cause.kind for f in report.findings if f.verdict == "wrong"}


def message(report, name):
    """Return the sentence on a quantity."""
    return next(f.cause.message for f in report.findings if f.name == name)


class Double(Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, g):
        return g * 2


def variant(**passes):
    """Return `Double` with other passes."""
    return type("Double", (Double,), {name: staticmethod(f) for name, f in passes.items()})
