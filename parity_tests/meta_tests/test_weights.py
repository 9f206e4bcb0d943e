import numpy as np
import pytest
import torch

from handgrad.load import gallery as variants
from handgrad.run.weights import load
from handgrad.errors import InputError
from handgrad.pipeline import build_reference


@pytest.fixture
def square():
    """Give a network all of whose weights are square, and other weights for it."""
    sizes = {"n": 8, "d_in": 8, "h1": 8, "h2": 8, "d_out": 8}
    params, _, _ = variants.draw("three_layer_relu_bias", 0, **sizes)
    others, _, _ = variants.draw("three_layer_relu_bias", 1, **sizes)
    model, names = build_reference("three_layer_relu_bias", params)[:2]
    return model, names, others


def test_linear_weights_are_transposed_though_they_are_square(square):
    model, names, params = square
    load(model, names, params)
    assert torch.equal(model.h1.weight, torch.tensor(params["w1"]).T)
    assert torch.equal(model.h1.bias, torch.tensor(params["b1"]))


def test_loading_copies(square):
    model, names, params = square
    load(model, names, params)
    before = params["w2"].copy()
    with torch.no_grad():
        model.h2.weight += 1
    assert np.array_equal(params["w2"], before)
    params["w2"] += 5
    assert torch.equal(model.h2.weight, torch.tensor(before).T + 1)


def misfits():
    """Give a change to the weights, and what the message must name, for each way not to fit."""
    nan = np.full((8, 8), np.nan)
    yield "missing", lambda p: p.pop("w2"), ["w2 is missing", "h2.weight", "w1, b1, b2"]
    yield "extra", lambda p: p.update(w9=nan), ["w9 has no counterpart", "w1 (h1.weight)"]
    yield "shape", lambda p: p.update(w1=np.ones((8, 9))), ["w1", "h1.weight", "(8, 8)", "(8, 9)"]
    yield "vector", lambda p: p.update(b1=np.ones((8, 1))), ["b1", "h1.bias", "(8,)", "(8, 1)"]
    yield "integer", lambda p: p.update(w1=np.ones((8, 8), int)), ["w1", "h1.weight", "int64"]
    yield "complex", lambda p: p.update(w1=np.ones((8, 8), complex)), ["w1", "complex128"]
    yield "object", lambda p: p.update(w1=np.full((8, 8), None)), ["w1", "object"]
    yield "nan", lambda p: p.update(w1=nan), ["w1", "h1.weight", "64 of 64 entries nan or inf"]
    yield "inf", lambda p: p["b2"].__setitem__(3, np.inf), ["b2", "h2.bias", "1 of 8"]


@pytest.mark.parametrize(("change", "words"), [pytest.param(*m[1:], id=m[0]) for m in misfits()])
def test_weights_that_do_not_fit_are_refused_before_any_is_copied(square, change, words):
    model, names, params = square
    before = {path: p.detach().clone() for path, p in model.named_parameters()}
    change(params)
    with pytest.raises(InputError) as caught:
        load(model, names, params)
    assert all(word in str(caught.value) for word in words)
    assert all(torch.equal(p, before[path]) for path, p in model.named_parameters())


def test_weights_that_would_be_rounded_are_refused(square):
    model, names, params = square
    with pytest.raises(InputError, match=r"w1 .*float64.*torch\.float32.*cannot hold it exactly"):
        load(model.float(), names, params)


def test_a_table_of_names_that_does_not_fit_the_reference_is_refused(square):
    model, names, params = square
    with pytest.raises(InputError, match=r"w1 as h9\.weight.*no such parameter: it has h1\.weight"):
        load(model, {**names, "w1": "h9.weight"}, params)
    with pytest.raises(InputError, match=r"parameter h1\.bias has no hand-written counterpart"):
        load(model, {k: v for k, v in names.items() if k != "b1"}, params)
