"""`check_function`: right backward passes are right in each dtype, wrong ones are told, and why."""

import numpy as np
import pytest
import torch
from torch.autograd import Function

from handgrad import InputError, check_function

from .functions import CASES, Exp, Huber, Linear, Sigmoid, X, in_dtype, planted
from .functions_set_aside import SET_ASIDE

DTYPES = {dtype: getattr(torch, dtype) for dtype in ("float64", "float32", "bfloat16")}

# In float64 each time, in what is shorter with the slow ones.
IN_TURN = [
    pytest.param(dtype, marks=[] if dtype == "float64" else pytest.mark.slow) for dtype in DTYPES
]
PLANTED = [(name, mistake) for name, (_, _, mistakes) in CASES.items() for mistake in mistakes]
IN_THREES = [
    pytest.param(*case, marks=pytest.mark.slow if number % 3 else [])
    for number, case in enumerate(PLANTED)
]


def wrong(report):
    """Return the kinds of the causes of what is wrong, by name."""
    return {f.name: f.cause and f.cause.kind for f in report.findings if f.verdict == "wrong"}


def message(report, name):
    """Return the sentence on a quantity."""
    return next(f.cause.message for f in report.findings if f.name == name)


@pytest.mark.parametrize("dtype", IN_TURN)
@pytest.mark.parametrize("name", CASES)
def test_a_right_backward_pass_is_right(name, dtype):
    function, inputs, _ = CASES[name]
    if (name, dtype) == ("upcast", "float64"):
        pytest.skip("it computes in float32, and that is less than the data have")
    report = check_function(function, *in_dtype(inputs, DTYPES[dtype]))
    assert wrong(report) == {}
    assert report.ok
    assert (report.reference, report.dtype) == ("function", dtype)


@pytest.mark.parametrize("dtype", ["float32", pytest.param("bfloat16", marks=pytest.mark.slow)])
@pytest.mark.parametrize(("name", "mistake"), IN_THREES)
def test_a_mistake_is_found_in_the_gradient_that_has_it(name, mistake, dtype):
    function, inputs, _ = CASES[name]
    old, new, expected = mistake
    found = wrong(check_function(planted(function, old, new), *in_dtype(inputs, DTYPES[dtype])))
    assert set(found) == {f"grad_{name}" for name in expected}
    for name, kind in expected.items():
        assert kind in (None, found[f"grad_{name}"])


@pytest.mark.parametrize("dtype", IN_TURN)
@pytest.mark.parametrize("name", SET_ASIDE)
def test_functions_that_were_set_aside(name, dtype):
    right, mistaken, inputs, expected = SET_ASIDE[name]
    inputs = in_dtype(inputs, DTYPES[dtype])
    assert wrong(check_function(right, *inputs)) == {}
    assert set(wrong(check_function(mistaken, *inputs))) == expected


def test_a_report_names_the_outputs_and_the_inputs_as_forward_does():
    report = check_function(Exp, X)
    assert [f.name for f in report.findings] == ["out", "loss", "grad_out", "grad_i"]
    assert report.to_dict()["reference"] == "function"
    assert (report.variant, report.first) == ("Exp", None)
    several = check_function(CASES["sin_cos"][0], X)
    assert [f.name for f in several.findings][:2] == ["out1", "out2"]


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


def test_inputs_that_ask_for_a_gradient_are_judged_alone():
    target = X.flip(0).clone().requires_grad_()
    report = check_function(Huber, X, target)
    assert [f.name for f in report.findings if f.kind == "gradient"] == ["grad_out", "grad_target"]
    assert target.grad is None
    report = check_function(CASES["mse"][0], X, X.flip(0))
    assert any("Not judged, since backward returns None for it: y." in n for n in report.notes)
    asked = [X.clone().requires_grad_(), X.flip(0).clone().requires_grad_()]
    assert wrong(check_function(CASES["mse"][0], *asked)) == {"grad_y": "factor"}


@pytest.mark.parametrize(
    "x", [X.float().t(), X[0].float().expand(6, 5), X.float()[::2, 1:], X.float().unfold(1, 3, 1)]
)
def test_inputs_may_lie_in_memory_in_any_way(x):
    assert check_function(Sigmoid, x).ok


def test_inputs_of_several_dtypes():
    class Mixed(Function):
        @staticmethod
        def forward(ctx, x, w):
            ctx.save_for_backward(x, w)
            return (x.float() @ w).to(x.dtype)

        @staticmethod
        def backward(ctx, g):
            x, w = ctx.saved_tensors
            return (g.float() @ w.t()).to(x.dtype), x.float().t() @ g.float()

    report = check_function(Mixed, X.bfloat16(), X[:5].float())
    assert (report.ok, report.dtype) == (True, "bfloat16")


def test_a_kink_is_no_mistake():
    class Relu(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x.relu()

        @staticmethod
        def backward(ctx, g):
            return g * (ctx.saved_tensors[0] >= 0)

    x = X.clone()
    x[0] = 0
    report = check_function(Relu, x)
    assert report.ok
    assert report.findings[-1].verdict == "subgradient"


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


@pytest.mark.parametrize(
    ("function", "inputs", "words"),
    [
        (3, (X,), "The function must be a torch.autograd.Function"),
        (Exp, (), "none of the 0 inputs is a floating point tensor"),
        (Exp, (torch.arange(3),), "none of the 1 inputs is a floating point tensor"),
        (Exp, (X.half(),), "must be float64, float32 or bfloat16, found torch.float16"),
        (Exp, (X / 0,), "must be finite"),
        (Exp, (X[:0],), "is empty"),
        (Linear, (X, X[0], None), "it raised RuntimeError"),
        (lambda x: x.detach(), (X,), "none of its outputs has a gradient"),
        (variant(forward=lambda ctx, x, w: x * w), (X, X), "returns 1 gradient for the 2 inputs"),
        (
            variant(forward=lambda ctx, x, n: x * n, backward=lambda ctx, g: (g, g)),
            (X, 2),
            "returns a gradient for input 2, which is int and no tensor",
        ),
        (variant(backward=lambda ctx, g: g @ g), (X,), "Double, line "),
    ],
)
def test_what_cannot_be_judged_is_one_sentence(function, inputs, words):
    with pytest.raises(InputError) as raised:
        check_function(function, *inputs)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


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
