"""Two trainings side by side: how far rounding takes them apart, and what it never does."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from handgrad.errors import InputError
from handgrad.load import gallery
from handgrad.run.precision import FLOAT64
from handgrad.train.drift import (
    Drift,
    apart,
    loss_tolerance,
    train_both_sides,
    train_hand_written,
    train_reference,
)

NOTEBOOK = {
    "two_layer_relu": [1e-6] + 500 * [1e-4],
    "three_layer_relu": 501 * [1e-4],
    "three_layer_relu_bias": 501 * [1e-4],
    "three_layer_sigmoid_bias": 500 * [1e-4],
}


def few_rates(name):
    """Return the first learning rates of a network."""
    return gallery.learning_rates(name)[:10]


def test_drift_has_a_yardstick():
    network = gallery.load("two_layer_relu")
    rates = gallery.learning_rates("two_layer_relu")
    drift = train_both_sides(network, rates)
    assert drift.ok
    assert (drift.tolerance < 1e-9 * drift.expected[0]).all()
    _, slower = train_hand_written(network, [rate * (1 - 1e-6) for rate in rates])
    assert (apart(slower, drift.expected) > drift.tolerance)[5:].any()


@pytest.mark.parametrize("precision", ["float64", "float32", "tf32", "bfloat16"])
def test_both_sides_of_every_network_train_alike(name, precision):
    drift = train_both_sides(gallery.load(name, precision), few_rates(name), precision)
    assert drift.ok
    assert not drift.overflows
    assert drift.expected[-1] < drift.expected[0]


def test_a_mistake_in_one_gradient_shows_in_the_losses(name):
    network = gallery.load(name)

    def wrong(*arguments):
        grads = dict(network.backward(*arguments))
        key = f"grad_{next(iter(network.params))}"
        return {**grads, key: 1.01 * grads[key]}

    assert not train_both_sides(replace(network, backward=wrong), few_rates(name)).ok


def test_labels_are_not_moved():
    """Half a class more is no rounding, and no index either."""
    network = gallery.load("softmax_cross_entropy")
    seen = []

    def forward(params, x, y):
        seen.append((x, y))
        return network.forward(params, x, y)

    loss_tolerance(replace(network, forward=forward), [1e-3], FLOAT64)
    assert all(np.array_equal(y, network.y) and y.dtype == np.int64 for _, y in seen)
    assert any(not np.array_equal(x, network.x) for x, _ in seen)


def test_apart_is_inf_where_just_one_side_is_finite():
    actual, expected = np.array([1.0, np.nan, np.inf, 2.0]), np.array([1.5, np.inf, np.nan, np.nan])
    assert apart(actual, expected).tolist() == [0.5, 0.0, 0.0, np.inf]
    drift = Drift(actual, np.array([0.0, np.nan, 2.0, 4.0]), actual, actual)
    assert drift.scale.tolist() == [1.0, 1.0, 2.0, 4.0]


def test_training_takes_nothing_from_its_caller(name):
    network, again = gallery.load(name), gallery.load(name)
    model, rates = network.reference.model, [1e-4, 1e-4]
    own = {path: w.detach().clone() for path, w in model.named_parameters()}
    train_both_sides(network, rates)
    assert all(np.array_equal(network.params[key], w) for key, w in again.params.items())
    assert np.array_equal(network.x, again.x)
    assert np.array_equal(network.y, again.y)
    assert all(torch.equal(w, own[path]) for path, w in model.named_parameters())
    assert all(w.grad is None for w in model.parameters())
    assert rates == [1e-4, 1e-4]


def test_several_inputs_are_handed_on_one_by_one():
    network = gallery.load("two_layer_relu")

    class Sum(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = network.reference.model

        def forward(self, x1, x2):
            return self.model(x1 + x2)

    paths = {key: f"model.{path}" for key, path in network.reference.parameters.items()}
    reference = replace(network.reference, model=Sum(), parameters=paths)
    whole = np.rint(network.x).astype(int)
    both = replace(network, x=(network.x - whole, whole), reference=reference)
    found = train_reference(both, [1e-4, 1e-4], FLOAT64)
    assert found == pytest.approx(train_reference(network, [1e-4, 1e-4], FLOAT64))

    def summed(function):
        return lambda params, x, *rest: function(params, x[0] + x[1], *rest)

    both = replace(both, forward=summed(both.forward), backward=summed(both.backward))
    assert train_both_sides(both, [1e-4, 1e-4]).ok


BROKEN = {
    "missing": (lambda grads: {}, "`grad_w1` is missing, and `w1` has shape"),
    "turned": (lambda grads: {**grads, "grad_w1": grads["grad_w1"].T}, r"`grad_w1` is of shape"),
    "fails": (lambda grads: grads["grad_h9"], "KeyError: 'grad_h9'"),
}


@pytest.mark.parametrize(("change", "words"), BROKEN.values(), ids=BROKEN)
def test_a_network_that_cannot_be_trained_is_one_sentence(change, words):
    network = gallery.load("two_layer_relu")
    broken = replace(network, backward=lambda *a: change(network.backward(*a)))
    with pytest.raises(InputError, match=words) as caught:
        train_both_sides(broken, [1e-4])
    assert "\n" not in str(caught.value)


def test_the_notebooks_programme_and_sizes():
    assert {name: gallery.learning_rates(name) for name in NOTEBOOK} == NOTEBOOK
    assert gallery.sizes_of("two_layer_relu") == {"n": 64, "d_in": 20, "h": 32, "d_out": 1}
    for name in list(NOTEBOOK)[1:]:
        assert gallery.sizes_of(name) == {"n": 64, "d_in": 6, "h1": 8, "h2": 8, "d_out": 1}


def test_draws_are_standard_normal(name):
    params, x, y = gallery.draw(name, sizes={"n": 2000, "d_in": 100})
    for array in (params[next(iter(params))], x, y):
        if array.dtype.kind != "f":
            assert set(array.tolist()) == set(range(gallery.sizes_of(name)["classes"]))
            continue
        assert abs(array.mean()) < 0.1
        assert abs(array.std() - 1) < 0.1
        assert (np.abs(array) > 2).any()
