"""`check_function`: right backward passes are right in each dtype, wrong ones are told, and why."""

import pytest
import torch
from torch.autograd import Function

from handgrad import InputError, check_function

from .function_tools import variant, wrong
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


class Unfit(Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, g):
        return g @ g


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
        (Unfit, (X,), "Unfit, line "),
    ],
)
def test_what_cannot_be_judged_is_one_sentence(function, inputs, words):
    with pytest.raises(InputError) as raised:
        check_function(function, *inputs)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)
