"""`check_function`: what a backward pass does to others, and where autograd calls it otherwise."""

import pytest
import torch
from torch.autograd import Function

from handgrad import check_function

from .function_tools import message, variant
from .functions import CASES, X


def keeping(ctx, x):
    ctx.save_for_backward(x)
    return x.exp()


@pytest.mark.parametrize(
    ("function", "name", "words"),
    [
        (variant(backward=lambda ctx, g: g.mul_(2)), "grad_out", "writes over `grad_out`"),
        (variant(forward=lambda ctx, x: x.mul_(2).clone()), "grad_x", "forward changes `x` in"),
        (
            variant(forward=keeping, backward=lambda ctx, g: ctx.saved_tensors[0].exp_() * g),
            "grad_x",
            "writes over what forward saved",
        ),
        (
            variant(backward=lambda ctx, g: 2 * g.view(-1).view(g.shape)),
            "grad_x",
            "where the gradient that comes in is not contiguous, it raises RuntimeError: view",
        ),
        (
            variant(backward=lambda ctx, g: 2 * g.as_strided(g.shape, (g.shape[1], 1))),
            "grad_x",
            "has other numbers where the gradient that comes in is not contiguous",
        ),
    ],
)
def test_a_backward_pass_that_harms_others_is_at_fault(function, name, words):
    report = check_function(function, X)
    assert not report.ok
    assert words in message(report, name)


def test_one_of_several_outputs_may_be_unused():
    class Two(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(False)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, a, b):
            return 2 * a + 3 * b

    assert "where `out1` alone is used" in message(check_function(Two, X), "grad_x")


def test_an_input_may_need_no_gradient():
    class Product(Function):
        @staticmethod
        def forward(ctx, a, b):
            ctx.save_for_backward(a, b)
            return a * b

        @staticmethod
        def backward(ctx, g):
            a, b = ctx.saved_tensors
            slope = g * b if ctx.needs_input_grad[0] else None
            return slope, (slope / b) * a

    found = message(check_function(Product, X, X.flip(0)), "grad_b")
    assert "where `a` needs no gradient, it raises TypeError" in found


def test_what_is_unwise_is_a_note():
    class Untidy(Function):
        @staticmethod
        def forward(ctx, x, bias):
            ctx.kept = x
            return x * 2 + bias

        @staticmethod
        def backward(ctx, g):
            return (2 * g).double(), g

    report = check_function(Untidy, X.float(), X[0].float())
    assert report.ok
    notes = " ".join(report.notes)
    assert "keeps tensors on ctx: kept" in notes
    assert "x's gradient in float64 for float32" in notes
    assert "bias's gradient in shape (6, 5) for (5,): autograd sums it up" in notes
    assert "a gradient of `x`, `bias` also where none is needed" in notes


def test_other_bits_in_a_second_run_are_told():
    runs = iter(range(10**6))

    def forward(ctx, x):
        ctx.last_bit = 1 + 2.0**-50 * (next(runs) % 2)
        return x * 2

    function = variant(forward=forward, backward=lambda ctx, g: g * 2 * ctx.last_bit)
    report = check_function(function, X)
    assert any(note == "Other bits in a second run: grad_x." for note in report.notes)


def test_neither_the_inputs_nor_the_random_numbers_are_changed():
    x, state = X.clone(), torch.get_rng_state()
    check_function(CASES["leaky_in_place"][0], x, 0.1)
    check_function(CASES["dropout"][0], x, 0.5)
    assert torch.equal(x, X)
    assert torch.equal(state, torch.get_rng_state())
    assert torch.get_default_dtype() is torch.float32
