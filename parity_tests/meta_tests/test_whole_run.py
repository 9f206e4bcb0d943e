import numpy as np
import pytest
import torch

from handgrad.load import gallery as variants
from handgrad.compare.judge import largest_difference, whole_run
from handgrad.run.trace import manual_trace
from handgrad.pipeline import build_reference

PRINTED = "three_layer_sigmoid_bias_printed"
PLANTED = {"float64": 1e-9, "float32": 1e-3}


def mismatches(findings):
    return {finding.name for finding in findings if finding.verdict == "mismatch"}


@pytest.mark.parametrize("seed", range(3))
def test_a_small_relative_error_in_any_gradient_is_caught(variant, dtype, seed):
    params, x, y = variants.draw(variant, seed, np.dtype(dtype))
    given = manual_trace(variants.manual_side(variant), params, x, y)
    reference = build_reference(variant, params)
    for name in [name for name in given if name.startswith("grad_")]:
        wrong = (given[name] * (1 + PLANTED[dtype])).astype(dtype)
        findings, _ = whole_run({**given, name: wrong}, reference, x, y)
        assert mismatches(findings) == {name}


def test_one_entry_off_is_caught(variant):
    params, x, y = variants.draw(variant)
    given = manual_trace(variants.manual_side(variant), params, x, y)
    given["grad_w1"][1, 2] += 1e-9 * np.abs(given["grad_w1"]).max()
    assert mismatches(whole_run(given, build_reference(variant, params), x, y)[0]) == {"grad_w1"}


def test_a_transposed_gradient_of_a_square_weight_is_caught():
    params, x, y = variants.draw("three_layer_relu", d_in=8)
    given = manual_trace(variants.manual_side("three_layer_relu"), params, x, y)
    given["grad_w1"] = given["grad_w1"].T
    findings, _ = whole_run(given, build_reference("three_layer_relu", params), x, y)
    assert mismatches(findings) == {"grad_w1"}


def test_a_quantity_of_another_shape_is_caught():
    params, x, y = variants.draw("three_layer_relu_bias")
    given = manual_trace(variants.manual_side("three_layer_relu_bias"), params, x, y)
    given["grad_b1"] = given["grad_b1"].reshape(-1, 1)  # as the notebook leaves it
    findings, _ = whole_run(given, build_reference("three_layer_relu_bias", params), x, y)
    assert mismatches(findings) == {"grad_b1"}


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_entry_that_is_not_finite_on_one_side_is_caught(value):
    params, x, y = variants.draw("two_layer_relu")
    given = manual_trace(variants.manual_side("two_layer_relu"), params, x, y)
    given["grad_w2"][0, 0] = value
    findings, _ = whole_run(given, build_reference("two_layer_relu", params), x, y)
    assert mismatches(findings) == {"grad_w2"}


def test_a_quantity_that_is_not_given_is_no_mismatch():
    params, x, y = variants.draw("two_layer_relu")
    given = manual_trace(variants.manual_side("two_layer_relu"), params, x, y)
    del given["grad_h"]
    findings, _ = whole_run(given, build_reference("two_layer_relu", params), x, y)
    assert mismatches(findings) == set()
    assert [f.name for f in findings if f.verdict == "not given"] == ["grad_h"]


def test_the_notebooks_sigmoid_network_is_rejected():
    """Against the network that was meant: wrong from h2_sigm on, right before it."""
    params, x, y = variants.draw(PRINTED)
    given = manual_trace(variants.manual_side(PRINTED), params, x, y)
    findings, _ = whole_run(given, build_reference("three_layer_sigmoid_bias", params), x, y)
    wrong = mismatches(findings)
    assert next(f.name for f in findings if f.verdict == "mismatch") == "h2_sigm"
    assert wrong.isdisjoint({"h1", "h1_sigm", "h2"})
    assert wrong >= {"y_pred", "loss", "grad_w1", "grad_w2", "grad_w3"}


def test_the_notebooks_sigmoid_network_is_not_what_its_backward_differentiates():
    """Against PyTorch with the same wrong wiring: its forward is right, its backward is not."""
    params, x, y = variants.draw(PRINTED)
    given = manual_trace(variants.manual_side(PRINTED), params, x, y)
    findings, _ = whole_run(given, build_reference(PRINTED, params), x, y)
    right = {f.name for f in findings if f.verdict == "match"}
    assert right >= {"h1", "h1_sigm", "h2", "h2_sigm", "y_pred", "loss"}
    # what lies between the loss and the wrong wire is right as well
    assert right >= {"grad_y_pred", "grad_w3", "grad_b3", "grad_h2_sigm"}
    assert mismatches(findings) == {
        *("grad_h2", "grad_w2", "grad_b2"),
        *("grad_h1_sigm", "grad_h1", "grad_w1", "grad_b1"),
    }


def test_weights_that_do_not_reach_the_loss_get_no_gradient_in_pytorch():
    params, x, y = variants.draw(PRINTED)
    model, _, loss_fn = build_reference(PRINTED, params)[:3]
    loss_fn(model(torch.tensor(x)), torch.tensor(y)).backward()
    assert model.h2.weight.grad is None
    assert model.h2.bias.grad is None
    assert model.h1.weight.grad is not None


def test_the_difference_is_the_largest_over_the_entries():
    ours, theirs = np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.5, 2.0])
    assert largest_difference(ours, theirs) == 1.0
    assert largest_difference(ours, theirs[:2]) == np.inf
    assert largest_difference(np.array([np.nan]), np.array([np.nan])) == 0.0
    assert largest_difference(np.array([np.inf]), np.array([1.0])) == np.inf
    assert largest_difference(np.array([np.inf]), np.array([1.0]), overflowed=True) == 0.0
