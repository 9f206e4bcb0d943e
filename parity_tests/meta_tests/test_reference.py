"""How the PyTorch side runs: what is recorded, and that all is put back."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from handgrad.load import gallery
from handgrad.network import Network, Reference
from handgrad.run.hand_written import run_hand_written
from handgrad.run.precision import FLOAT32, FLOAT64, precision_of
from handgrad.run.reference import Substitute, put_parameters, run_reference


def hooks_of(model):
    """Count the hooks on a model's modules and parameters."""
    on_modules = sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())
    on_parameters = sum(
        len(p._backward_hooks or ()) + len(p._post_accumulate_grad_hooks or ())
        for p in model.parameters()
    )
    return on_modules + on_parameters


def trace_of(network, **options):
    return run_reference(network, FLOAT64, **options).quantities


def test_both_sides_record_the_same_names_shapes_and_dtypes(name, dtype, device):
    sizes = {**gallery.sizes_of(name), list(gallery.sizes_of(name))[-1]: 3}
    network = gallery.load(name, dtype, sizes=sizes)
    actual = run_hand_written(network)
    expected = run_reference(network, precision_of(network.params), device).quantities
    assert actual.keys() == expected.keys()
    for key in actual:
        assert isinstance(expected[key], np.ndarray)
        assert actual[key].shape == expected[key].shape
        assert actual[key].dtype == expected[key].dtype == dtype


def test_quantities_stand_in_the_order_of_computing(name):
    network = gallery.load(name)
    values = network.forward(network.params, network.x, network.y)
    trace = trace_of(network)
    assert list(trace)[: len(network.params) + len(values)] == [*network.params, *values]
    backward = [key.removeprefix("grad_") for key in trace if key.startswith("grad_")]
    walked = [key for key in backward if key in values]
    assert walked == [key for key in reversed(values) if key != "loss"]


def test_runs_do_not_add_up():
    network = gallery.load("three_layer_relu_bias")
    first, again = trace_of(network), trace_of(network)
    assert hooks_of(network.reference.model) == 0
    assert all(np.array_equal(first[key], again[key]) for key in first)


class Norm(nn.Module):
    """A network with all that a module can have of its own: buffers, a gradient, a flag."""

    def __init__(self):
        super().__init__()
        self.h = nn.Linear(3, 2)
        self.norm = nn.BatchNorm1d(2, affine=False)

    def forward(self, x):
        self.norm.running_var = torch.ones(2, dtype=x.dtype)  # another tensor, as some do
        return self.norm(self.h(x))


@pytest.fixture
def lent():
    """Give a Network with a batch norm in training mode, in float32, with gradients of its own."""
    rng, model = np.random.default_rng(0), Norm()
    model.h.weight.grad = torch.ones_like(model.h.weight)
    model.h.bias.requires_grad_(False)
    return Network(
        name="lent",
        params={"w": rng.standard_normal((3, 2)), "b": rng.standard_normal(2)},
        x=rng.standard_normal((5, 3)),
        y=rng.standard_normal((5, 2)),
        reference=Reference(model, {"w": "h.weight.T", "b": "h.bias"}, nn.MSELoss()),
    )


@pytest.mark.parametrize("fails", [False, True])
def test_the_module_is_lent_and_all_of_its_own_comes_back(lent, fails):
    model = lent.reference.model
    parameters, buffers = dict(model.named_parameters()), dict(model.named_buffers())
    values = {key: tensor.detach().clone() for key, tensor in {**parameters, **buffers}.items()}
    addresses = {key: tensor.data_ptr() for key, tensor in {**parameters, **buffers}.items()}
    grad = model.h.weight.grad

    def loss_fn(output, y):
        assert output.dtype is torch.float64
        assert hooks_of(model) > 0
        assert np.array_equal(model.h.weight.detach().numpy(), lent.params["w"].T)
        if fails:
            raise ArithmeticError
        return (output - y).square().sum()

    network = replace(lent, reference=replace(lent.reference, loss_fn=loss_fn))
    if fails:
        with pytest.raises(ArithmeticError):
            run_reference(network, FLOAT64)
    else:
        run_reference(network, FLOAT64)
    assert hooks_of(model) == 0
    assert dict(model.named_parameters()) == parameters
    assert all(model.get_buffer(key) is buffer for key, buffer in buffers.items())
    for key, tensor in {**parameters, **buffers}.items():
        assert torch.equal(tensor, values[key])
        assert tensor.data_ptr() == addresses[key]
    assert model.h.weight.grad is grad
    assert torch.equal(grad, torch.ones_like(grad))
    assert model.h.weight.requires_grad
    assert not model.h.bias.requires_grad


def test_a_running_average_moves_on_by_no_run(lent):
    first, again = trace_of(lent), trace_of(lent)
    assert all(np.array_equal(first[key], again[key]) for key in first)
    assert lent.reference.model.norm.num_batches_tracked == 0


def test_the_runs_arrays_are_its_own():
    network = gallery.load("two_layer_relu")
    trace = trace_of(network)
    before = {key: array.copy() for key, array in trace.items()}
    trace_of(replace(network, params={key: 0 * w for key, w in network.params.items()}))
    assert all(np.array_equal(before[key], trace[key]) for key in trace)


def test_the_gradients_are_what_backward_leaves_in_grad():
    network = gallery.load("three_layer_relu_bias")
    trace, model = trace_of(network), network.reference.model.double()
    put_parameters(network, dict(model.named_parameters()), torch.float64, "cpu")
    output = model(torch.tensor(network.x))
    network.reference.loss_fn(output, torch.tensor(network.y)).backward()
    assert np.array_equal(trace["grad_w2"], model.h2.weight.grad.T)
    assert np.array_equal(trace["grad_b2"], model.h2.bias.grad)


def test_values_and_gradients_can_be_replaced_on_the_way():
    network = gallery.load("two_layer_relu")
    plain = trace_of(network)
    given = {"h_relu": 2 * plain["h_relu"]}
    twice = trace_of(network, substitute=Substitute(given))
    assert np.array_equal(twice["h_relu"], plain["h_relu"])  # what was computed is recorded
    assert np.allclose(twice["y_pred"], 2 * plain["y_pred"])
    given = {"grad_h": 3 * plain["grad_h"]}
    thrice = trace_of(network, substitute=Substitute(given))
    assert np.array_equal(thrice["grad_h"], plain["grad_h"])
    assert np.allclose(thrice["grad_w1"], 3 * plain["grad_w1"])
    assert np.allclose(thrice["grad_x"], 3 * plain["grad_h"] @ network.params["w1"].T)


def test_the_sources_of_each_value_are_read_off_autograds_graph():
    network = gallery.load("three_layer_relu_bias")
    sources = run_reference(network, FLOAT64, substitute=Substitute()).sources
    assert sources["h1"] == {"w1", "b1", "x"}
    assert sources["h2_relu"] == {"h2"}
    assert sources["loss"] == {"y_pred"}


class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(4, 2)
        self.total = nn.Identity()

    def forward(self, index, scale):
        return self.total(self.table(index) * scale)


def test_several_inputs_of_any_kind_and_labels_stay_what_they_are():
    rng = np.random.default_rng(0)
    seen = []

    def loss_fn(output, y):
        seen.append(y.dtype)
        return nn.functional.cross_entropy(output, y)

    network = Network(
        name="two",
        params={"table": rng.standard_normal((4, 2))},
        x=(np.array([0, 3, 3]), rng.standard_normal((3, 1))),
        y=np.array([0, 1, 1]),
        reference=Reference(Two(), {"table": "table.weight"}, loss_fn, {"total": "total"}),
    )
    run = run_reference(network, FLOAT32, substitute=Substitute())
    assert seen == [torch.int64]
    assert run.sources["total"] == {"table", "x2"}
    assert run.quantities["grad_x2"].shape == (3, 1)
    assert "grad_x1" not in run.quantities
    assert run.quantities["grad_table"].shape == (4, 2)
    assert not run.quantities["grad_table"][1].any()


def test_weights_that_do_not_reach_the_loss_get_zeros():
    printed = "three_layer_sigmoid_bias_printed"
    trace = trace_of(gallery.load(printed))
    assert not trace["grad_w2"].any()
    assert not trace["grad_b2"].any()
    assert trace["grad_w1"].any()


def test_arrays_that_are_read_backwards_are_no_trouble():
    network = gallery.load("two_layer_relu")
    turned = replace(network, x=network.x[::-1], y=network.y[::-1])
    assert np.allclose(trace_of(turned)["loss"], trace_of(network)["loss"])
