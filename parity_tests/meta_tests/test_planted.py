import random

import numpy as np
import pytest

from parity_tests.meta_tests.awkward import wrong_quantities
from parity_tests.meta_tests.planted import OWN, PLANTED, check_planted, draw_several, wrong_of

SINGLES = [(network, *case) for network, cases in PLANTED.items() for case in cases]


@pytest.mark.parametrize(("network", "old", "new", "wrong"), SINGLES)
def test_a_planted_mistake_is_named_with_its_cause_and_nothing_else_is(network, old, new, wrong):
    report = check_planted(network, (old, new))
    assert wrong_of(report) == wrong
    assert report.first == next(f.name for f in report.findings if f.name in wrong)


def test_there_are_enough_planted_mistakes():
    assert len(SINGLES) >= 60


def test_several_mistakes_are_all_named():
    rng = random.Random(0)
    drawn = [found for _ in range(120) if (found := draw_several(rng))][:40]
    assert len(drawn) == 40
    for network, changes, wrong in drawn:
        assert set(wrong_of(check_planted(network, *changes))) == set(wrong), changes


def test_a_right_derivation_is_never_called_wrong(variant, dtype):
    assert [seed for seed in range(60) if wrong_quantities(variant, dtype, seed)] == []


@pytest.mark.parametrize("network", PLANTED)
def test_without_a_mistake_all_is_right(network):
    report = check_planted(network)
    assert report.ok
    assert {f.verdict for f in report.findings} == {"match"}


@pytest.mark.parametrize("network", PLANTED)
def test_the_witness_agrees_with_a_right_derivation(network):
    assert "both are the reference's" in check_planted(network).notes[-1]


def test_the_notebooks_sigmoid_network_is_two_networks():
    change = ("h2_sigm = sigmoid(h2)", "h2_sigm = sigmoid(h1)")
    report = check_planted("three_layer_sigmoid_bias", change)
    assert report.first == "h2_sigm"
    (cause,) = (f.cause for f in report.findings if f.cause)
    assert cause.kind == "other-quantity"
    assert "computed from `h1`" in cause.message
    assert "two different networks" in report.notes[-1]


def test_the_witness_says_whether_forward_or_backward_is_wrong():
    backward = check_planted("two_layer_relu", ("grad_h_relu * (h > 0)", "grad_h_relu"))
    assert "The forward pass is right, the backward pass is wrong" in backward.notes[-1]
    both = check_planted(
        "two_layer_relu",
        ("np.square(y_pred - y).sum()", "np.square(y_pred - y).sum() / 2"),
        ("2.0 * (y_pred - y)", "(y_pred - y)"),
    )
    assert "differentiates the forward pass, but the forward pass is another" in both.notes[-1]


def test_a_gradient_at_exactly_0_may_take_either_slope():
    change = ("grad_h2_relu * (h2 > 0)", "grad_h2_relu * (h2 >= 0)")
    zero = ("x = rng.standard_normal((n, d_in))", "x = rng.standard_normal((n, d_in)); x[3] = 0")
    report = check_planted("three_layer_relu", change, zero)
    assert report.ok
    assert [f.name for f in report.findings if f.verdict == "kink"] == ["grad_h2"]
    beyond = ("grad_h2_relu * (h2 > 0)", "grad_h2_relu * np.where(h2 == 0, 2, h2 > 0)")
    assert wrong_of(check_planted("three_layer_relu", beyond, zero)).keys() == {"grad_h2"}


def test_other_networks_are_right_on_other_data(monkeypatch):
    for seed in range(5):
        monkeypatch.setattr(
            np.random,
            "default_rng",
            lambda _, seed=seed: np.random.Generator(np.random.PCG64(seed)),
        )
        for network in OWN:
            assert check_planted(network).ok
