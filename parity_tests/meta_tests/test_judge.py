"""The judge: what is wrong is found, in its step or in the whole run, and nothing else is."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from handgrad.compare.judge import judge
from handgrad.compare.tolerance import largest_difference
from handgrad.load import gallery
from handgrad.network import Network, Reference
from handgrad.run.hand_written import run_hand_written
from handgrad.run.precision import PRECISIONS, precision_of

PRINTED, MEANT = "three_layer_sigmoid_bias_printed", "three_layer_sigmoid_bias"
PLANTED = {"float64": 1e-9, "float32": 1e-3}


def judged(network, actual):
    with np.errstate(all="ignore"):
        findings, _ = judge(network, actual, precision_of(network.params))
    return {finding.name: finding for finding in findings}


def wrong_of(network, actual):
    """Return what fails, by the verdict."""
    found = judged(network, actual)
    return {key: f.verdict for key, f in found.items() if f.verdict in ("wrong", "accumulated")}


def test_a_small_relative_error_in_every_gradient_is_caught(name, dtype):
    """All in one pass: each of another size, so that none follows from those before it."""
    network = gallery.load(name, dtype, seed=len(dtype))
    actual = run_hand_written(network)
    keys = [key for key in actual if key.startswith("grad_")]
    off = {
        key: (actual[key] * (1 + PLANTED[dtype] * place)).astype(dtype)
        for place, key in enumerate(keys, 1)
    }
    assert wrong_of(network, {**actual, **off}) == dict.fromkeys(keys, "wrong")


@pytest.mark.slow
def test_a_small_relative_error_in_one_gradient_is_caught_and_nothing_else_is(name, dtype):
    network = gallery.load(name, dtype, seed=len(dtype))
    actual = run_hand_written(network)
    for key in [key for key in actual if key.startswith("grad_")]:
        off = (actual[key] * (1 + PLANTED[dtype])).astype(dtype)
        assert wrong_of(network, {**actual, key: off}) == {key: "wrong"}


def test_one_entry_off_is_caught(name):
    network = gallery.load(name)
    actual = run_hand_written(network)
    key = next(key for key in reversed(actual) if key.startswith("grad_") and actual[key].ndim == 2)
    off = actual[key].copy()
    off[1, 2] += 1e-9 * np.abs(off).max()
    assert wrong_of(network, {**actual, key: off}) == {key: "wrong"}


def test_a_transposed_gradient_of_a_square_weight_is_caught():
    network = gallery.load("three_layer_relu", sizes={"d_in": 8})
    actual = run_hand_written(network)
    changed = {**actual, "grad_w1": actual["grad_w1"].T}
    assert wrong_of(network, changed) == {"grad_w1": "wrong"}


def test_a_quantity_of_another_shape_is_caught():
    network = gallery.load("three_layer_relu_bias")
    actual = run_hand_written(network)
    column = actual["grad_b1"].reshape(-1, 1)  # as the notebook leaves it
    assert wrong_of(network, {**actual, "grad_b1": column}) == {"grad_b1": "wrong"}
    assert judged(network, {**actual, "grad_b1": column})["grad_b1"].difference == np.inf


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_entry_that_is_not_finite_on_one_side_is_caught(value):
    network = gallery.load("two_layer_relu")
    actual = run_hand_written(network)
    actual["grad_w2"][0, 0] = value
    assert wrong_of(network, actual) == {"grad_w2": "wrong"}


def test_a_quantity_that_is_missing_is_no_mistake():
    network = gallery.load("two_layer_relu")
    actual = run_hand_written(network)
    del actual["grad_h"]
    found = judged(network, actual)
    assert [key for key, f in found.items() if f.verdict == "missing"] == ["grad_h"]
    assert {f.verdict for f in found.values()} == {"match", "missing"}


def test_three_mistakes_are_three_and_what_follows_from_them_is_inherited():
    network = gallery.load("three_layer_relu_bias")
    right = network.forward

    def forward(params, x, y):
        values = right({**params, "b1": params["b1"] + 1}, x, y)  # h1 is wrong, all else follows
        return {**values, "loss": 2 * values["loss"]}

    actual = run_hand_written(replace(network, forward=forward))
    actual["grad_w3"] = -actual["grad_w3"]
    found = judged(network, actual)
    assert [key for key, f in found.items() if f.verdict == "wrong"] == ["h1", "loss", "grad_w3"]
    assert found["h2"].verdict == found["grad_w1"].verdict == "inherited"
    assert found["h2"].difference > found["h2"].tolerance
    assert found["w1"].verdict == "match"


def test_a_mismatch_of_the_whole_run_is_never_dropped():
    """Forty last bits a line, always in the same direction: no step shows it, the run does."""

    class Chain(nn.Module):
        def __init__(self):
            super().__init__()
            self.h = nn.Linear(1, 1, bias=False)
            for i in range(60):
                self.add_module(f"a{i}", nn.Identity())

        def forward(self, x):
            h = self.h(x)
            for i in range(60):
                h = self.get_submodule(f"a{i}")(h * 1)
            return h

    w, x, y = np.ones((1, 1)), np.ones((4, 1)), np.zeros((4, 1))
    off = 1 + 40 * 2.0**-52
    actual = {"w": w, "h": x @ w}
    value = actual["h"]
    for i in range(60):
        value = value * off
        actual[f"a{i}"] = value
    reference = Reference(Chain(), {"w": "h.weight.T"}, nn.MSELoss(reduction="sum"))
    found = judged(Network("chain", {"w": w}, x, y, reference), actual)
    assert {f.verdict for f in found.values()} == {"match", "missing", "accumulated"}
    assert found["a0"].verdict == "match"
    assert found["a59"].verdict == "accumulated"


def test_the_resolution_is_the_smallest_relative_change_that_is_flagged():
    network = gallery.load("two_layer_relu")
    actual = run_hand_written(network)
    found = judged(network, actual)["grad_w2"]
    largest = np.unravel_index(np.abs(actual["grad_w2"]).argmax(), actual["grad_w2"].shape)
    for change, verdicts in ((0.5, {}), (2.0, {"grad_w2": "wrong"})):
        off = actual["grad_w2"].copy()
        off[largest] *= 1 + change * found.resolution * 64
        assert wrong_of(network, {**actual, "grad_w2": off}) in (verdicts, {"grad_w2": "wrong"})
    assert 1e-15 < found.resolution < 1e-9
    assert found.ratio == found.difference / found.tolerance


def test_the_notebooks_sigmoid_network_is_rejected():
    """Against the network that was meant: one step is wrong, and what comes after inherits it."""
    network = gallery.load(MEANT)
    actual = run_hand_written(gallery.load(PRINTED))
    found = judged(network, actual)
    assert [key for key, f in found.items() if f.verdict == "wrong"] == ["h2_sigm"]
    assert {found[key].verdict for key in ("h1", "h1_sigm", "h2")} == {"match"}
    assert {found[key].verdict for key in ("y_pred", "loss", "grad_w3")} == {"inherited"}


def test_the_notebooks_sigmoid_network_is_not_what_its_backward_differentiates():
    """Against PyTorch with the same wrong wiring: its forward is right, its backward is not."""
    network = gallery.load(PRINTED)
    found = judged(network, run_hand_written(network))
    right = {key for key, f in found.items() if f.verdict == "match"}
    assert right >= {"h1", "h1_sigm", "h2", "h2_sigm", "y_pred", "loss"}
    # what lies between the loss and the wrong wire is right as well
    assert right >= {"grad_y_pred", "grad_w3", "grad_b3", "grad_h2_sigm"}
    assert "grad_h2" in {key for key, f in found.items() if f.verdict == "wrong"}
    assert {found[f"grad_{key}"].verdict for key in ("w1", "b1", "w2", "b2")} <= {
        "wrong",
        "inherited",
    }


def test_what_comes_after_a_loss_that_overflows_is_still_judged():
    network = gallery.load("two_layer_relu", "float32")
    params = {**network.params, "w2": network.params["w2"] * np.float32(1e20)}
    network = replace(network, params=params)
    actual = run_hand_written(network)
    assert np.isinf(actual["loss"])
    assert {f.verdict for f in judged(network, actual).values()} == {"match"}


def test_an_entry_within_rounding_of_a_kink_is_no_mistake():
    """Rounding may put h on either side of 0, and each side's gradient is right."""
    network = gallery.load("two_layer_relu", sizes={"n": 4, "d_in": 2, "h": 1})
    x = network.x.copy()
    x[0] = [3.0, -1.0]  # 0.1 * 3 - 0.3 is 5.6e-17, or 0 if it is not rounded between
    params = {**network.params, "w1": np.array([[0.1], [0.3]])}
    network = replace(network, params=params, x=x)

    def forward(params, x, y):
        h = x.dot(params["w1"])
        h[0] = -h[0] - 1e-17
        values = {"h": h, "h_relu": np.maximum(h, 0)}
        values["y_pred"] = values["h_relu"].dot(params["w2"])
        return {**values, "loss": np.square(values["y_pred"] - y).sum()}

    actual = run_hand_written(replace(network, forward=forward))
    assert {f.verdict for f in judged(network, actual).values()} == {"match"}


@pytest.mark.parametrize("n", [1000, 5000])
def test_many_rows_that_are_alike_are_no_mistake(name, dtype, n):
    """Their sum rounds the same way at each term."""
    network = gallery.load(name, dtype, sizes={"n": n})
    x, y = network.x.copy(), network.y.copy()
    x[:], y[:] = x[0], y[0]
    network = replace(network, x=x, y=y)
    assert wrong_of(network, run_hand_written(network)) == {}
    labels = np.random.default_rng(0).integers(0, 2, y.shape).astype(y.dtype)
    network = replace(network, y=labels)
    assert wrong_of(network, run_hand_written(network)) == {}


def test_weights_that_do_not_reach_the_loss_get_no_gradient_in_pytorch():
    network = gallery.load(PRINTED)
    model = network.reference.model
    output = model(torch.tensor(network.x, dtype=torch.float32))
    network.reference.loss_fn(output, torch.tensor(network.y, dtype=torch.float32)).backward()
    assert model.h2.weight.grad is None
    assert model.h2.bias.grad is None
    assert model.h1.weight.grad is not None


@pytest.mark.parametrize("dtype", PRECISIONS)
def test_every_draw_measures_the_whole_noise(dtype):
    network = gallery.load("three_layer_sigmoid_bias", dtype)
    actual = run_hand_written(network)
    lazy, _ = judge(network, actual, PRECISIONS[dtype])
    whole, _ = judge(network, actual, PRECISIONS[dtype], every_draw=True)
    assert all(some.resolution <= all_.resolution for some, all_ in zip(lazy, whole, strict=True))
    assert any(some.resolution < all_.resolution for some, all_ in zip(lazy, whole, strict=True))


def test_the_difference_is_the_largest_over_the_entries():
    actual, expected = np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.5, 2.0])
    assert largest_difference(actual, expected) == 1.0
    assert largest_difference(actual, expected[:2]) == np.inf
    assert largest_difference(np.array([np.nan]), np.array([np.nan])) == 0.0
    assert largest_difference(np.array([np.inf]), np.array([1.0])) == np.inf
    assert largest_difference(np.array([np.inf]), np.array([1.0]), overflowed=True) == 0.0
