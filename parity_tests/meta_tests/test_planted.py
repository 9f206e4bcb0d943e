import random

import pytest

from handgrad.explain.finite_difference import slopes
from handgrad.explain.passes import sentence
from handgrad.load import gallery
from handgrad.pipeline import check
from handgrad.run.hand_written import run_hand_written
from parity_tests.conftest import MANY
from parity_tests.meta_tests.awkward import wrong_quantities
from parity_tests.meta_tests.planted import (
    PLANTED,
    check_planted,
    draw_several,
    planted,
    wrong_of,
)

SINGLES = [(network, *case) for network, cases in PLANTED.items() for case in cases]


def first_of_each_kind():
    """Return SINGLES, those marked slow whose kinds of cause and network were there before."""
    seen: set[str] = set()
    marked = []
    for network, old, new, wrong in SINGLES:
        new_here = {network, *wrong.values()} - seen
        marks = () if new_here else pytest.mark.slow
        marked.append(pytest.param(network, old, new, wrong, marks=marks))
        seen |= new_here
    return marked


@pytest.mark.parametrize(("network", "old", "new", "wrong"), first_of_each_kind())
def test_a_planted_mistake_is_named_with_its_cause_and_nothing_else_is(network, old, new, wrong):
    report = check_planted(network, (old, new))
    assert wrong_of(report) == wrong
    assert report.first == next(f.name for f in report.findings if f.name in wrong)


def test_there_are_enough_planted_mistakes():
    assert len(SINGLES) >= 60


def test_several_mistakes_are_all_named():
    rng = random.Random(0)
    drawn = [found for _ in range(4 * MANY) if (found := draw_several(rng))][:MANY]
    assert len(drawn) == MANY
    for network, changes, wrong in drawn:
        assert set(wrong_of(check_planted(network, *changes))) == set(wrong), changes


def test_a_right_derivation_is_never_called_wrong(name, dtype):
    assert [seed for seed in range(MANY) if wrong_quantities(name, dtype, seed)] == []


@pytest.mark.parametrize("network", PLANTED)
def test_without_a_mistake_all_is_right(network):
    report = check_planted(network)
    assert report.ok
    assert {f.verdict for f in report.findings} == {"match"}
    assert report.notes == []


@pytest.mark.parametrize("name", PLANTED)
def test_finite_differences_agree_with_a_right_derivation(name):
    network = gallery.load(name)
    measured = slopes(network, run_hand_written(network))
    assert "both are the reference's" in sentence(measured, check(network).findings)


def test_the_notebooks_sigmoid_network_is_two_networks():
    change = ("h2_sigm = sigmoid(h2)", "h2_sigm = sigmoid(h1)")
    report = check_planted("three_layer_sigmoid_bias", change)
    assert report.first == "h2_sigm"
    (cause,) = (f.cause for f in report.findings if f.cause)
    assert cause.kind == "other-quantity"
    assert "computed from `h1`" in cause.message
    assert "two different networks" in report.notes[-1]


def test_finite_differences_say_whether_forward_or_backward_is_wrong():
    backward = check_planted("two_layer_relu", ("grad_h_relu * (h > 0)", "grad_h_relu"))
    assert "The forward pass is right, the backward pass is wrong" in backward.notes[-1]
    both = check_planted(
        "two_layer_relu",
        ("np.square(y_pred - y).sum()", "np.square(y_pred - y).sum() / 2"),
        ("2.0 * (y_pred - y)", "(y_pred - y)"),
    )
    assert "differentiates the forward pass, but the forward pass is another" in both.notes[-1]


def test_a_gradient_at_exactly_0_may_take_either_slope():
    right = ("grad_h2_relu * (h2 > 0)", "grad_h2_relu * (h2 >= 0)")
    report = check_with_a_row_of_zeros(right)
    assert report.ok
    assert [f.name for f in report.findings if f.verdict == "subgradient"] == ["grad_h2"]
    beyond = ("grad_h2_relu * (h2 > 0)", "grad_h2_relu * np.where(h2 == 0, 2, h2 > 0)")
    assert wrong_of(check_with_a_row_of_zeros(beyond)).keys() == {"grad_h2"}


def check_with_a_row_of_zeros(change):
    network = gallery.load("three_layer_relu", side=planted("three_layer_relu", change))
    network.x[3] = 0  # without biases a ReLU's input is exactly 0 there
    return check(network)


@pytest.mark.parametrize("name", PLANTED)
def test_all_is_right_on_other_data(name):
    for seed in range(1, 6):
        assert check(gallery.load(name, seed=seed)).ok
