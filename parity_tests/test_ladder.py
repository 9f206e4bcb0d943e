import importlib
import os
import shutil
import sysconfig
from functools import cache, partial
from pathlib import Path

import numpy as np
import pytest
import torch

from manual import two_layer_relu
from manual.training import step
from manual.training import train as manual_train
from handgrad.train.drift import apart, loss_tolerance
from handgrad.run.precision import arithmetic, precision_of
from handgrad.run.trace import manual_trace, to_numpy
from handgrad.run.weights import to_tensor
from handgrad.pipeline import compare
from parity_tests.cases import CASES, draw_case
from torch_ref.ladder import RUNGS
from torch_ref.ladder.function import ReLU

VARIANT = "two_layer_relu"
RATES = two_layer_relu.LEARNING_RATES


@pytest.fixture(params=list(RUNGS))
def rung(request):
    return request.param


def train_of(rung, backend="aot_eager"):
    """Return the `train` of a rung; the compiled one with a backend that runs everywhere."""
    train = importlib.import_module(f"torch_ref.ladder.{rung}").train
    if rung != "compiled":
        return train
    torch.compiler.reset()  # after eight networks PyTorch would no longer compile
    return partial(train, backend=backend)


def climb(train, params, x, y, learning_rates, device):
    """Call the `train` of a rung with copies of NumPy arrays, and return NumPy arrays."""
    precision = precision_of(params)
    params = {name: to_tensor(w, device=device) for name, w in params.items()}
    x, y = to_tensor(x, device=device), to_tensor(y, device=device)
    with arithmetic(precision, device):
        losses, grads, params = train(params, x, y, learning_rates)
    grads = {name: to_numpy(grad) for name, grad in grads.items()}
    return losses, grads, {name: to_numpy(w) for name, w in params.items()}


def assert_step_matches(params, x, y, rate, device, loss, grads, after):
    """Hold one step from `params` against the hand-written one, within the measured tolerance."""
    findings = compare(VARIANT, params, x, y, device).findings
    tolerance = {finding.name: finding.tolerance for finding in findings}
    ours = manual_trace(two_layer_relu, params, x, y)
    expected = {name: w.copy() for name, w in params.items()}
    step(expected, ours, rate)

    assert abs(ours["loss"] - loss) <= tolerance["loss"]
    assert list(grads) == ["grad_w1", "grad_w2"]
    for name, grad in grads.items():
        assert grad.dtype == x.dtype
        assert grad.shape == ours[name].shape
        assert np.abs(ours[name] - grad).max() <= tolerance[name], name
    assert list(after) == ["w1", "w2"]
    for name, w in after.items():
        assert w.dtype == x.dtype
        assert w.shape == expected[name].shape
        largest = max(np.abs(expected[name]).max(), np.abs(w).max())
        # the gradients' own tolerance, then each side rounds a product and a difference
        allowed = rate * tolerance[f"grad_{name}"] + 2 * np.finfo(x.dtype).eps * largest
        assert np.abs(expected[name] - w).max() <= allowed, name


@cache  # the same for every rung
def notebooks_training(dtype):
    """Return the hand-written losses of the notebook's training, and what rounding allows."""
    params, x, y = draw_case(VARIANT, "notebook", dtype)
    _, losses = manual_train(two_layer_relu, params, x, y, RATES)
    return np.array(losses), loss_tolerance(two_layer_relu, params, x, y, RATES)


def assert_losses_match(losses, dtype):
    """Hold the losses of the notebook's training against the hand-written ones."""
    ours, allowed = notebooks_training(dtype)
    assert all(type(loss) is float for loss in losses)
    assert len(losses) == len(ours) == len(RATES)
    assert losses[-1] < losses[0]
    assert (apart(ours, np.array(losses)) <= allowed).all()


@pytest.mark.parametrize("case", CASES)
def test_one_step_matches(rung, case, dtype, device):
    params, x, y = draw_case(VARIANT, case, dtype)
    losses, grads, after = climb(train_of(rung), params, x, y, RATES[-1:], device)
    assert len(losses) == 1
    assert_step_matches(params, x, y, RATES[-1], device, losses[0], grads, after)


def test_slope_of_relu_is_0_where_h_is_exactly_0(rung, dtype, device):
    params, x, y = draw_case(VARIANT, "notebook", dtype)
    params["w1"][:, 0] = 0
    losses, grads, after = climb(train_of(rung), params, x, y, RATES[-1:], device)
    assert (grads["grad_w1"][:, 0] == 0).all()
    assert_step_matches(params, x, y, RATES[-1], device, losses[0], grads, after)


def test_gradients_and_weights_are_those_of_the_last_step(rung, dtype, device):
    params, x, y = draw_case(VARIANT, "notebook", dtype)
    *_, before = climb(train_of(rung), params, x, y, RATES[:2], device)
    losses, grads, after = climb(train_of(rung), params, x, y, RATES[:3], device)
    assert_step_matches(before, x, y, RATES[2], device, losses[2], grads, after)


def test_losses_match_over_the_notebooks_training(rung, dtype, device):
    params, x, y = draw_case(VARIANT, "notebook", dtype)
    losses, *_ = climb(train_of(rung), params, x, y, RATES, device)
    assert_losses_match(losses, dtype)


def test_nothing_passed_in_is_changed(rung, device):
    arrays, x, y = draw_case(VARIANT, "notebook", "float64")
    params = {name: to_tensor(w, device=device) for name, w in arrays.items()}
    x_given, y_given = to_tensor(x, device=device), to_tensor(y, device=device)
    rates = RATES[:2]
    train_of(rung)(params, x_given, y_given, rates)
    assert list(params) == list(arrays)
    assert rates == RATES[:2]
    given = [(x, x_given), (y, y_given), *((arrays[name], params[name]) for name in arrays)]
    for array, tensor in given:
        assert np.array_equal(to_numpy(tensor), array)
        assert not tensor.requires_grad
        assert tensor.grad is None


def test_the_hand_written_backward_passes_gradcheck(device):
    h = to_tensor(np.random.default_rng(0).standard_normal((5, 4)), device=device)
    assert torch.autograd.gradcheck(ReLU.apply, h.requires_grad_())


def test_the_forward_pass_is_compiled_once_and_whole():
    graphs = []

    def backend(graph, _inputs):
        graphs.append(graph)
        return graph.forward

    params, x, y = draw_case(VARIANT, "notebook", "float64")
    climb(train_of("compiled", backend), params, x, y, RATES[:3], "cpu")
    assert len(graphs) == 1


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
    params, x, y = draw_case(VARIANT, "notebook", "float64")
    losses, *_ = climb(train_of("compiled", "inductor"), params, x, y, RATES, "cpu")
    assert_losses_match(losses, "float64")
