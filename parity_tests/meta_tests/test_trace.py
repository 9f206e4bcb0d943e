import numpy as np
import pytest
import torch

from handgrad.load import gallery as variants
from handgrad.run.trace import like, manual_trace, reference_trace
from handgrad.pipeline import build_reference


def hooks_of(model):
    """Count the hooks on a model's modules and parameters."""
    on_modules = sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())
    on_parameters = sum(
        len(p._backward_hooks or ()) + len(p._post_accumulate_grad_hooks or ())
        for p in model.parameters()
    )
    return on_modules + on_parameters


def test_both_sides_record_the_same_names_shapes_and_dtypes(variant, dtype, device):
    params, x, y = variants.draw(variant, dtype=np.dtype(dtype), d_out=3)
    ours = manual_trace(variants.manual_side(variant), params, x, y)
    theirs = reference_trace(build_reference(variant, params, device), x, y)
    assert ours.keys() == theirs.keys()
    for name in ours:
        assert isinstance(theirs[name], np.ndarray)
        assert ours[name].shape == theirs[name].shape
        assert ours[name].dtype == theirs[name].dtype == dtype


def test_quantities_stand_in_the_order_of_computing(variant):
    params, x, y = variants.draw(variant)
    network = variants.manual_side(variant)
    values, trace = (
        network.forward(params, x, y),
        reference_trace(build_reference(variant, params), x, y),
    )
    assert list(trace)[: len(params) + len(values)] == [*params, *values]
    backward = [name.removeprefix("grad_") for name in trace if name.startswith("grad_")]
    walked = [name for name in backward if name in values]
    assert walked == [name for name in reversed(values) if name != "loss"]


def test_hooks_and_gradients_are_those_of_the_run_alone():
    params, x, y = variants.draw("three_layer_relu_bias")
    reference = build_reference("three_layer_relu_bias", params)
    first = reference_trace(reference, x, y)
    assert hooks_of(reference.model) == 0
    again = reference_trace(reference, x, y)  # .grad must not have added up
    assert all(np.array_equal(first[name], again[name]) for name in first)


def test_no_hook_stays_behind_after_an_exception():
    params, x, y = variants.draw("three_layer_relu_bias")
    reference = build_reference("three_layer_relu_bias", params)
    model = reference.model

    def fails(output, target):
        assert hooks_of(model) > 0
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        reference_trace(reference._replace(loss_fn=fails), x, y)
    assert hooks_of(model) == 0


def test_a_trace_does_not_alias_the_model():
    params, x, y = variants.draw("two_layer_relu")
    reference = build_reference("two_layer_relu", params)
    trace = reference_trace(reference, x, y)
    with torch.no_grad():
        for parameter in reference.model.parameters():
            parameter.fill_(0)
            parameter.grad.fill_(0)
    assert np.array_equal(trace["w1"], params["w1"])
    assert trace["grad_w1"].any()


def test_the_gradients_are_what_backward_leaves_in_grad():
    params, x, y = variants.draw("three_layer_relu_bias")
    reference = build_reference("three_layer_relu_bias", params)
    model, loss_fn = reference.model, reference.loss_fn
    trace = reference_trace(reference, x, y)
    model.zero_grad()
    loss_fn(model(like(x, model)), like(y, model)).backward()
    assert np.array_equal(trace["grad_w2"], model.h2.weight.grad.T)
    assert np.array_equal(trace["grad_b2"], model.h2.bias.grad)


def test_values_and_gradients_can_be_replaced_on_the_way():
    params, x, y = variants.draw("two_layer_relu")
    reference = build_reference("two_layer_relu", params)
    plain = reference_trace(reference, x, y)
    twice = reference_trace(
        reference,
        x,
        y,
        hand_on=lambda name, value: 2 * value if name == "h_relu" else None,
        hand_back=lambda name, grad: 3 * grad if name == "h" else None,
    )
    assert np.array_equal(twice["h_relu"], plain["h_relu"])  # what was computed is recorded
    assert np.allclose(twice["y_pred"], 2 * plain["y_pred"])
    x_side = reference.model.h.weight.grad.T.numpy()
    assert np.allclose(x_side, 3 * x.T @ twice["grad_h"])
