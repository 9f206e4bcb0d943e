"""Do the weights fit? Asked before anything runs."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from handgrad.errors import InputError
from handgrad.load import gallery
from handgrad.load.weights import check_weights
from handgrad.network import Reference
from handgrad.run.reference import put_parameters


@pytest.fixture
def square():
    """Give a network all of whose weights are square."""
    sizes = {"n": 8, "d_in": 8, "h1": 8, "h2": 8, "d_out": 8}
    return gallery.load("three_layer_relu_bias", sizes=sizes)


def put(network):
    model = network.reference.model
    put_parameters(network, dict(model.named_parameters()), torch.float64, "cpu")
    return model


def test_the_table_says_what_is_transposed_though_it_is_square(square):
    model = put(square)
    assert torch.equal(model.h1.weight, torch.tensor(square.params["w1"]).T)
    assert torch.equal(model.h1.bias, torch.tensor(square.params["b1"]))
    reference = square.reference
    table = {**reference.parameters, "w1": "h1.weight"}  # kept as the module has it
    as_it_is = Reference(reference.model, table, reference.loss_fn)
    square = square.__class__(square.name, square.params, square.x, square.y, as_it_is)
    assert torch.equal(put(square).h1.weight, torch.tensor(square.params["w1"]))


def test_putting_copies(square):
    model = put(square)
    before = square.params["w2"].copy()
    with torch.no_grad():
        model.h2.weight += 1
    assert np.array_equal(square.params["w2"], before)
    square.params["w2"][:] += 5
    assert torch.equal(model.h2.weight, torch.tensor(before).T + 1)


def misfits():
    """Give a change to the weights, and what the message must name, for each way not to fit."""
    nan = np.full((8, 8), np.nan)
    yield "missing", lambda p: p.pop("w2"), ["w2 is missing", "h2.weight", "w1, b1, b2"]
    yield "extra", lambda p: p.update(w9=nan), ["w9 has no counterpart", "w1 (h1.weight.T)"]
    yield "shape", lambda p: p.update(w1=np.ones((8, 9))), ["w1", "h1.weight", "(8, 8)", "(8, 9)"]
    yield "vector", lambda p: p.update(b1=np.ones((8, 1))), ["b1", "h1.bias", "(8,)", "(8, 1)"]
    yield "integer", lambda p: p.update(w1=np.ones((8, 8), int)), ["w1", "h1.weight", "int64"]
    yield "complex", lambda p: p.update(w1=np.ones((8, 8), complex)), ["w1", "complex128"]
    yield "object", lambda p: p.update(w1=np.full((8, 8), None)), ["w1", "object"]
    yield "nan", lambda p: p.update(w1=nan), ["w1", "h1.weight", "64 of 64 entries nan or inf"]
    yield "inf", lambda p: p["b2"].__setitem__(3, np.inf), ["b2", "h2.bias", "1 of 8"]


@pytest.mark.parametrize(("change", "words"), [pytest.param(*m[1:], id=m[0]) for m in misfits()])
def test_weights_that_do_not_fit_are_refused(square, change, words):
    params = dict(square.params)
    change(params)
    with pytest.raises(InputError) as caught:
        check_weights(square.reference, params, torch.float64)
    assert all(word in str(caught.value) for word in words)


def test_weights_that_would_be_rounded_are_refused(square):
    with pytest.raises(InputError, match=r"w1 .*float64.*torch\.float32.*cannot hold it exactly"):
        check_weights(square.reference, square.params, torch.float32)


TABLES = {
    "path": ({"w1": "h9.weight"}, r"w1 as h9\.weight.*no such parameter: it has h1\.weight"),
    "vector": ({"b1": "h1.bias.T"}, r"b1 .*has 1 axes.*leave out its `\.T`"),
    "twice": ({"b1": "h2.bias"}, r"parameter h1\.bias has no hand-written counterpart"),
}


@pytest.mark.parametrize(("change", "words"), TABLES.values(), ids=TABLES)
def test_a_table_that_does_not_fit_the_reference_is_refused(square, change, words):
    reference = square.reference
    reference = replace(reference, parameters={**reference.parameters, **change})
    with pytest.raises(InputError, match=words):
        check_weights(reference, square.params, torch.float64)


def test_a_transposition_that_is_forgotten_is_told_where_the_shapes_say_so():
    network = gallery.load("two_layer_relu")
    table = {"w1": "h.weight", "w2": "y_pred.weight.T"}
    with pytest.raises(InputError, match=r"add `\.T` to h\.weight"):
        check_weights(replace(network.reference, parameters=table), network.params, torch.float64)
