"""How the hand-written side runs: what is wrong with it is one sentence, and nothing is changed."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from handgrad.errors import InputError
from handgrad.load import gallery
from handgrad.pipeline import check
from handgrad.run.hand_written import named_inputs, run_hand_written

NAME = "two_layer_relu"


def changed(change):
    """Return a network in whose backward pass the result is changed."""
    right = gallery.manual_side(NAME)
    side = SimpleNamespace(
        __file__=right.__file__,
        forward=right.forward,
        backward=lambda *arguments: change(right.backward(*arguments), *arguments),
    )
    return gallery.load(NAME, side=side)


def raises(grads, params, x, y, values):
    return values["h9"]


def changes_x(grads, params, x, y, values):
    x -= 1
    return grads


def without(grads, name):
    return {key: grad for key, grad in grads.items() if key != name}


WAYS = {
    "raises": (raises, r"backward.*KeyError: 'h9'"),
    "none": (lambda grads, *_: None, "backward must return a dict.*NoneType"),
    "missing": (lambda grads, *_: without(grads, "grad_w1"), "returns no `grad_w1`"),
    "misspelt": (lambda grads, *_: {**grads, "grad_W1": grads["grad_w1"]}, "did you mean grad_w1"),
    "text": (lambda grads, *_: {**grads, "grad_w1": "1"}, "`grad_w1` of backward must be"),
    "complex": (lambda grads, *_: {**grads, "grad_w1": grads["grad_w1"] * 1j}, "real numbers"),
    "empty": (lambda grads, *_: {**grads, "grad_w1": np.ones((0, 3))}, "is empty"),
    "in place": (changes_x, "backward changes `x` in place"),
}


@pytest.mark.parametrize(("change", "words"), WAYS.values(), ids=WAYS)
def test_a_network_that_is_broken_is_one_sentence(change, words):
    with pytest.raises(InputError, match=words) as caught:
        check(changed(change))
    assert "two_layer_relu.py" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["w1", "x", "y"])
def test_a_forward_pass_that_changes_what_it_is_given_is_refused(name):
    network = gallery.load(NAME)

    def forward(params, x, y):
        {**params, "x": x, "y": y}[name][0] *= 2
        return network.forward(params, x, y)

    with pytest.raises(InputError, match=f"forward changes `{name}` in place"):
        run_hand_written(replace(network, forward=forward))


def test_a_forward_pass_without_a_loss_is_refused():
    network = gallery.load(NAME)
    with pytest.raises(InputError, match="forward must return `loss`, found h"):
        run_hand_written(replace(network, forward=lambda *_: {"h": np.ones(3)}))


def test_nothing_that_is_given_is_changed_nor_handed_over():
    network, seen = gallery.load(NAME), []

    def forward(params, x, y):
        seen.extend([params["w1"], x, y])
        return network.forward(params, x, y)

    run_hand_written(replace(network, forward=forward))
    for own, given in zip(seen, (network.params["w1"], network.x, network.y), strict=True):
        assert not np.shares_memory(own, given)
        assert np.array_equal(own, given)


def test_what_has_been_computed_already_is_not_run_again():
    network = replace(gallery.load(NAME), forward=None, quantities={"loss": np.array(3.0)})
    assert list(run_hand_written(network)) == ["w1", "w2", "loss"]


def test_inputs_have_names():
    one, two = np.ones(2), np.zeros(3)
    assert named_inputs(one) == {"x": one}
    assert list(named_inputs((one, two))) == ["x1", "x2"]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_sigmoid_does_not_overflow(dtype):
    """Warnings are errors here."""
    sigmoid = gallery.manual_side("three_layer_sigmoid_bias").sigmoid
    found = sigmoid(np.array([-1e4, -1.0, 0.0, 1.0, 1e4], dtype))
    assert found.dtype == dtype
    assert found[[0, 2, 4]].tolist() == [0.0, 0.5, 1.0]
    assert np.allclose(found[[1, 3]], [1 / (1 + np.e), np.e / (1 + np.e)])
