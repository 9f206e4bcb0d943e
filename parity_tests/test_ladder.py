"""Every rung of the ladder computes what the hand-written network computes."""

import os
import shutil
import sysconfig
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import numpy as np
import pytest
import torch

from handgrad.load import gallery
from handgrad.run.hand_written import run_hand_written
from handgrad.run.precision import FLOAT64, arithmetic, as_tensor, precision_of, to_numpy
from handgrad.train.drift import apart, loss_tolerance, train_hand_written
from parity_tests.cases import CASES, assert_step_allowed, draw_case, tolerances
from parity_tests.conftest import slow_but

NAME = "two_layer_relu"
RUNGS = gallery.imported("torch_ref.ladder").RUNGS
RATES = gallery.learning_rates(NAME)
FEW = RATES[:8]


# compiling takes seconds
@pytest.fixture(params=slow_but(RUNGS, *[rung for rung in RUNGS if rung != "compiled"]))
def rung(request):
    return request.param


def train_of(rung, backend="aot_eager"):
    """Return the `train` of a rung; the compiled one with a backend that runs everywhere."""
    train = gallery.imported(f"torch_ref.ladder.{rung}").train
    if rung != "compiled":
        return train
    torch.compiler.reset()  # after eight networks PyTorch would no longer compile
    return partial(train, backend=backend)


def climb(train, network, rates, device):
    """Call the `train` of a rung with copies of a Network's arrays, and return NumPy arrays."""
    precision = precision_of(network.params)
    params, x, y = tensors(network, precision.torch, device)
    with arithmetic(precision, device):
        losses, grads, params = train(params, x, y, rates)
    grads = {name: to_numpy(grad) for name, grad in grads.items()}
    return losses, grads, {name: to_numpy(w) for name, w in params.items()}


def tensors(network, dtype, device):
    """Return a Network's parameters, x and y as tensors."""
    params = {name: as_tensor(w, dtype, device) for name, w in network.params.items()}
    return params, as_tensor(network.x, dtype, device), as_tensor(network.y, dtype, device)


@cache  # the same for every rung
def drawn(case, dtype):
    """Return the Network of a case, or with a hidden unit that is exactly 0."""
    network = draw_case(NAME, "own sizes" if case == "zero unit" else case, dtype)
    if case == "zero unit":
        w1 = network.params["w1"].copy()
        w1[:, 0] = 0
        network = replace(network, params={**network.params, "w1": w1})
    return network


@cache  # the same for every rung
def measured(case, dtype, device, every_draw):
    """Return what rounding allows each quantity of a case."""
    return tolerances(drawn(case, dtype), device, every_draw)


def assert_step_matches(network, measured, rate, loss, grads, after):
    """Hold one step against the hand-written one, within the measured tolerances."""
    trace = run_hand_written(network)
    stepped = {name: w.copy() for name, w in network.params.items()}
    gallery.imported("manual.training").step(stepped, trace, rate)

    off = {"loss": abs(trace["loss"] - loss)}
    assert list(grads) == ["grad_w1", "grad_w2"]
    for name, grad in grads.items():
        assert grad.dtype == network.x.dtype
        assert grad.shape == trace[name].shape
        off[name] = np.abs(trace[name] - grad).max()
    assert list(after) == ["w1", "w2"]
    weights = {}
    for name, w in after.items():
        assert w.dtype == network.x.dtype
        assert w.shape == stepped[name].shape
        largest = max(np.abs(stepped[name]).max(), np.abs(w).max())
        weights[name] = np.abs(stepped[name] - w).max(), largest
    assert_step_allowed(measured, off, weights, rate)


@cache  # the same for every rung
def by_hand(dtype, steps):
    """Return the hand-written losses of the notebook's training, and what rounding allows."""
    network, rates = draw_case(NAME, "own sizes", dtype), RATES[:steps]
    _, losses = train_hand_written(network, rates)
    return losses, loss_tolerance(network, rates, precision_of(network.params))


def assert_losses_match(losses, dtype):
    """Hold the losses of the notebook's training against the hand-written ones."""
    actual, allowed = by_hand(dtype, len(losses))
    assert all(type(loss) is float for loss in losses)
    assert losses[-1] < losses[0]
    assert (apart(actual, np.array(losses)) <= allowed).all()


@pytest.mark.parametrize("case", CASES)
def test_one_step_matches(rung, case, dtype, device):
    network = drawn(case, dtype)
    losses, grads, after = climb(train_of(rung), network, RATES[-1:], device)
    assert len(losses) == 1
    allowed = partial(measured, case, dtype, device)
    assert_step_matches(network, allowed, RATES[-1], losses[0], grads, after)


def test_slope_of_relu_is_0_where_h_is_exactly_0(rung, dtype, device):
    network = drawn("zero unit", dtype)
    losses, grads, after = climb(train_of(rung), network, RATES[-1:], device)
    assert (grads["grad_w1"][:, 0] == 0).all()
    allowed = partial(measured, "zero unit", dtype, device)
    assert_step_matches(network, allowed, RATES[-1], losses[0], grads, after)


def test_gradients_and_weights_are_those_of_the_last_step(rung, dtype, device):
    network = draw_case(NAME, "own sizes", dtype)
    *_, before = climb(train_of(rung), network, RATES[:2], device)
    losses, grads, after = climb(train_of(rung), network, RATES[:3], device)
    network = replace(network, params=before)
    allowed = partial(tolerances, network, device)
    assert_step_matches(network, allowed, RATES[2], losses[2], grads, after)


@pytest.mark.parametrize(
    ("dtype", "rates"),
    [
        ("float64", FEW),
        ("float32", FEW),
        pytest.param("float64", RATES, id="whole", marks=pytest.mark.slow),
    ],
)
def test_losses_match_over_the_notebooks_training(rung, dtype, rates, device):
    losses, *_ = climb(train_of(rung), draw_case(NAME, "own sizes", dtype), rates, device)
    assert len(losses) == len(rates)
    assert_losses_match(losses, dtype)


def test_nothing_passed_in_is_changed(rung, device):
    network = draw_case(NAME, "own sizes", "float64")
    params, x, y = tensors(network, FLOAT64.torch, device)
    rates = RATES[:2]
    train_of(rung)(params, x, y, rates)
    assert list(params) == list(network.params)
    assert rates == RATES[:2]
    given = [(network.x, x), (network.y, y), *((network.params[n], params[n]) for n in params)]
    for array, tensor in given:
        assert np.array_equal(to_numpy(tensor), array)
        assert not tensor.requires_grad
        assert tensor.grad is None


def test_the_hand_written_backward_passes_gradcheck(device):
    h = as_tensor(np.random.default_rng(0).standard_normal((5, 4)), torch.float64, device)
    relu = gallery.imported("torch_ref.ladder.function").ReLU
    assert torch.autograd.gradcheck(relu.apply, h.requires_grad_())


@pytest.mark.slow
def test_the_forward_pass_is_compiled_once_and_whole():
    graphs = []

    def backend(graph, _inputs):
        graphs.append(graph)
        return graph.forward

    network = draw_case(NAME, "own sizes", "float64")
    climb(train_of("compiled", backend), network, RATES[:3], "cpu")
    assert len(graphs) == 1


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which(os.environ.get("CXX", "g++")) is None, reason="inductor needs a C++ compiler"
)
@pytest.mark.skipif(
    not Path(sysconfig.get_path("include"), "Python.h").exists(),
    reason="inductor needs Python's header files",
)
# PyTorch's own use of it, when inductor is first imported
@pytest.mark.filterwarnings("ignore:`torch.jit.script_method` is deprecated:DeprecationWarning")
def test_code_that_inductor_generates_matches():
    network = draw_case(NAME, "own sizes", "float64")
    losses, *_ = climb(train_of("compiled", "inductor"), network, RATES, "cpu")
    assert_losses_match(losses, "float64")
