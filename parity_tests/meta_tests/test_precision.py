import os
from dataclasses import replace

import numpy as np
import pytest
import torch

from handgrad.errors import InputError
from handgrad.load import gallery
from handgrad.pipeline import check, check_gallery
from handgrad.run import precision
from handgrad.run.precision import (
    BFLOAT16,
    FLOAT32,
    FLOAT64,
    PRECISIONS,
    TF32,
    arithmetic,
    rounded,
    to_tf32,
)
from handgrad.run.reference import run_reference
from handgrad.train.drift import train_both_sides
from parity_tests.conftest import slow_but

SHORT = ["tf32", "bfloat16"]


@pytest.fixture
def settings():
    """Put torch's settings back as they were."""
    before = read()
    yield
    torch.set_float32_matmul_precision("highest")
    for backend, value in zip(switches(), before[-1], strict=True):
        backend.fp32_precision = value
    torch.set_deterministic_debug_mode(before[1])


def switches():
    """Return the switches that each backend has of its own, from PyTorch 2.9 on."""
    backends = (torch.backends.cuda.matmul, getattr(torch.backends.mkldnn, "matmul", None))
    return [backend for backend in backends if hasattr(backend, "fp32_precision")]


def read():
    try:
        products = torch.get_float32_matmul_precision()
    except RuntimeError:  # where the switches disagree
        products = "mixed"
    return (
        products,
        torch.get_deterministic_debug_mode(),
        os.environ.get("CUBLAS_WORKSPACE_CONFIG"),
        [backend.fp32_precision for backend in switches()],
    )


def fail_inside(seen, *arguments):
    with arithmetic(*arguments):
        seen.append(read())
        raise ArithmeticError


@pytest.mark.parametrize("workspace", [None, "", ":16:8"])
@pytest.mark.parametrize("before", ["untouched", "high", "highest"])
def test_settings_are_set_and_as_they_were_after_an_exception(
    settings, monkeypatch, before, workspace
):
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    if workspace is not None:
        monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", workspace)
    if before != "untouched":
        torch.set_float32_matmul_precision(before)
    was = read()
    seen: list[tuple] = []
    for chosen, device in ((FLOAT32, "cpu"), (TF32, "cuda:1")):
        with pytest.raises(ArithmeticError):
            fail_inside(seen, chosen, device)
    assert [now[0] for now in seen] == ["highest", "high"]
    assert {now[1:3] for now in seen} == {(1, workspace or ":4096:8")}
    assert read() == was


@pytest.mark.skipif(not switches(), reason="this PyTorch has one switch for all backends")
def test_the_switch_of_one_backend_is_respected_and_put_back(settings):
    torch.backends.cuda.matmul.fp32_precision = "tf32"
    was = read()
    assert was[0] == "mixed"
    assert check_gallery("two_layer_relu").settings["tf32"] == "off"
    assert read() == was


def test_epsilons_are_those_of_the_formats():
    assert [p.eps for p in (FLOAT64, FLOAT32, TF32, BFLOAT16)] == [2**-52, 2**-23, 2**-10, 2**-7]
    for p in (FLOAT64, FLOAT32, BFLOAT16):
        info = torch.finfo(p.torch)
        assert (p.eps, p.tiny, p.max) == (info.eps, info.tiny, info.max)


def test_tf32_is_the_nearest_number_of_ten_bits_ties_to_even():
    bit = 2.0**-10
    given = [1 + bit / 2, 1 + 1.5 * bit, 1 + 0.51 * bit, -(1 + 0.49 * bit), 0.0, np.inf, np.nan]
    wanted = [1.0, 1 + 2 * bit, 1 + bit, -1.0, 0.0, np.inf, np.nan]
    found = to_tf32(torch.tensor(given))
    assert torch.equal(found[:-1], torch.tensor(wanted)[:-1])
    assert found[-1].isnan()
    assert to_tf32(torch.tensor(given, dtype=torch.float64)).tolist()[0] == given[0]


def test_products_are_rounded_to_tf32_forward_and_backward():
    with arithmetic(FLOAT32):
        layer = torch.nn.Linear(8, 8)
        x = torch.randn(8, 8, requires_grad=True)
        exact = layer(x)
    with arithmetic(TF32):
        out = layer(x)
        (grad,) = torch.autograd.grad(out.sum(), x)
    w, b = layer.weight.detach(), layer.bias.detach()
    assert not torch.equal(out, exact)
    assert torch.equal(out, to_tf32(x.detach()) @ to_tf32(w).T + b)
    assert torch.allclose(grad, to_tf32(w).sum(0).expand(8, 8), rtol=1e-6)
    assert not torch.allclose(grad, w.sum(0).expand(8, 8), rtol=1e-6)


@pytest.mark.parametrize("name", ["three_layer_sigmoid_bias", "layer_norm"])
@pytest.mark.parametrize("short", SHORT)
def test_a_short_precision_matches_at_its_own_noise_and_not_at_float32s(name, short):
    network, own = gallery.load(name, short), precision.PRECISIONS[short]
    assert check(network, precision=own).ok
    with arithmetic(own):
        trace = run_reference(network, own).quantities
    computed = {key: array for key, array in trace.items() if key not in network.params}
    assert not check(replace(network, quantities=computed), precision=FLOAT32).ok


@pytest.mark.parametrize("short", SHORT)
@pytest.mark.parametrize(
    "wrong", slow_but(["grad_w1", "grad_b2", "grad_h1", "grad_w3"], "grad_b2", "grad_h1")
)
def test_a_wrong_sign_is_named_in_any_precision(monkeypatch, short, wrong):
    side = gallery.manual_side("three_layer_relu_bias")

    def backward(params, x, y, values, right=side.backward):
        grads = right(params, x, y, values)
        return {**grads, wrong: -grads[wrong]}

    monkeypatch.setattr(side, "backward", backward)
    report = check_gallery("three_layer_relu_bias", "cpu", short)
    assert [(f.name, f.cause.kind) for f in report.findings if f.cause] == [(wrong, "sign")]


@pytest.mark.parametrize("short", PRECISIONS)
def test_data_is_rounded_to_what_the_precision_has_and_whole_numbers_stay(short):
    own = precision.PRECISIONS[short]
    data = {"w": np.array([1 / 3]), "labels": np.array([16777217])}
    params, x = rounded((data, np.array([True])), own)
    assert params["w"].dtype == own.numpy
    assert params["labels"][0] == 16777217
    assert x.dtype == bool
    assert abs(params["w"][0] * 3 - 1) <= (own.eps if short != "tf32" else FLOAT32.eps)


def test_places_are_pairs_of_a_device_and_a_dtype(monkeypatch):
    monkeypatch.setattr(precision.torch.cuda, "is_available", lambda: False)
    assert precision.places(None, None) == [("cpu", "float64"), ("cpu", "float32")]
    assert precision.places("cpu", None) == [("cpu", d) for d in ("float64", "float32", "bfloat16")]
    assert precision.places("all", "tf32") == [("cpu", "tf32")]


def test_float32_is_computed_in_float32(monkeypatch):
    seen = []
    net = gallery.torch_side("two_layer_relu").Net

    def forward(self, x, right=net.forward):
        seen.append(torch.get_float32_matmul_precision())
        return right(self, x)

    monkeypatch.setattr(net, "forward", forward)
    before = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("high")
        check_gallery("two_layer_relu", dtype="float32")
        network = gallery.load("two_layer_relu", "float32", sizes={"n": 2, "d_in": 2, "h": 2})
        train_both_sides(network, [1e-4] * 3, "float32")
        assert set(seen) == {"highest"}
        assert torch.get_float32_matmul_precision() == "high"
    finally:
        torch.set_float32_matmul_precision(before)


def test_a_precision_that_is_none_is_one_sentence():
    with pytest.raises(InputError, match=r"no dtype 'float16': use one of float64, .*bfloat16"):
        precision.check_precision("float16", "cpu")
