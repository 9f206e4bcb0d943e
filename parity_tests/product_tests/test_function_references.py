"""`check_function` against a reference, or where autograd cannot see through a forward pass."""

import numpy as np
import pytest
import torch
from torch.autograd import Function

from handgrad import InputError, check_function

from .function_tools import wrong
from .functions import Exp, X


class Round(Function):
    @staticmethod
    def forward(ctx, x):
        return x.round()

    @staticmethod
    def backward(ctx, g):
        return g


def test_a_straight_through_estimator_is_told_and_judged_against_a_reference():
    own = check_function(Round, X)
    assert wrong(own) == {"grad_x": "missing-derivative"}
    assert any("0 everywhere, as that of a rounding" in note for note in own.notes)
    assert check_function(Round, X.float(), reference=lambda x: x + (x.round() - x).detach()).ok


class Reverse(Function):
    @staticmethod
    def forward(ctx, x, scale):
        ctx.scale = scale
        return x.view_as(x)

    @staticmethod
    def backward(ctx, g):
        return -ctx.scale * g, None


def test_gradient_reversal_is_judged_against_a_reference():
    assert wrong(check_function(Reverse, X, 0.5))["grad_x"]
    assert check_function(Reverse, X, 0.5, reference=lambda x, s: (1 + s) * x.detach() - s * x).ok


class NumpyExp(Function):
    @staticmethod
    def forward(ctx, x):
        result = torch.from_numpy(np.exp(x.detach().numpy()))
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx, g):
        return g * ctx.saved_tensors[0]


class Centered(Function):
    """Detaches a part of its forward pass."""

    @staticmethod
    def forward(ctx, x, w):
        mean = x.detach().mean(0)
        ctx.save_for_backward(x, w)
        return (x - mean) * w

    @staticmethod
    def backward(ctx, g):
        x, w = ctx.saved_tensors
        return g * w - (g * w).mean(0), (g * (x - x.mean(0))).sum(0)


@pytest.mark.parametrize(
    ("function", "inputs"),
    [(NumpyExp, (X.float(),)), (Centered, (X.float(), X[0].float()))],
)
def test_where_autograd_cannot_see_through_finite_differences_are_the_judge(function, inputs):
    report = check_function(function, *inputs)
    assert (report.ok, report.reference) == (True, "differences")
    (note,) = (note for note in report.notes if "cannot see through" in note)
    assert "`reference=`" in note

    def backward(ctx, g):
        found = function.backward(ctx, g)
        return (-found[0], *found[1:]) if isinstance(found, tuple) else -found

    negative = type("Negative", (function,), {"backward": staticmethod(backward)})
    assert set(wrong(check_function(negative, *inputs))) == {"grad_x"}


def test_a_reference_says_more_than_finite_differences():
    class Wrong(NumpyExp):
        @staticmethod
        def backward(ctx, g):
            return -g * ctx.saved_tensors[0]

    assert wrong(check_function(Wrong, X.float(), reference=torch.exp)) == {"grad_x": "sign"}
    assert check_function(NumpyExp.apply, X.float(), reference=torch.exp).ok


class Narrow(Function):
    """Computes in float32 whatever it is given, where nobody sees it, as a kernel does."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.from_numpy(x.detach().numpy().astype(np.float32) ** 3).to(x.dtype)

    @staticmethod
    def backward(ctx, g):
        return 3 * ctx.saved_tensors[0] ** 2 * g


def test_what_does_not_compute_in_float64_is_judged_in_its_own_dtype():
    report = check_function(Narrow, X.float(), reference=lambda x: x**3)
    assert report.ok
    assert any("Judged in float32 alone" in note for note in report.notes)
    with pytest.raises(InputError, match="give `reference=`"):
        check_function(Narrow, X.float())


@pytest.mark.slow
def test_custom_operators_are_checked():
    name = "handgrad_tests::scaled_sin"

    @torch.library.custom_op(name, mutates_args=())
    def scaled_sin(x: torch.Tensor, w: float) -> torch.Tensor:
        return torch.sin(x * w)

    def setup_context(ctx, inputs, output):
        ctx.x, ctx.w = inputs

    scaled_sin.register_autograd(
        lambda ctx, g: (g * torch.cos(ctx.x * ctx.w), None), setup_context=setup_context
    )
    assert wrong(check_function(scaled_sin, X.float(), 2.0)) == {"grad_x": "factor"}
    by_name = check_function(torch.ops.handgrad_tests.scaled_sin, X.float(), 2.0)
    assert (set(wrong(by_name)), by_name.reference) == ({"grad_x1"}, "differences")


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        (lambda x: x.sum(), "the reference must return the same shapes, [(6, 5)], found [()]"),
        (lambda x: x.sum(7), "the reference fails on these inputs: IndexError"),
    ],
)
def test_a_reference_that_does_not_fit_is_one_sentence(reference, words):
    with pytest.raises(InputError) as raised:
        check_function(Exp, X, reference=reference)
    assert words in str(raised.value)
