import ast
import copy
import inspect
import json
import textwrap
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from handgrad.lessons import traps
from handgrad.lessons.traps import RULES, TRAPS, shown, traps_of, weight_of
from handgrad.load import gallery
from handgrad.run.precision import FLOAT32, arithmetic
from parity_tests.meta_tests.test_precision import read
from parity_tests.product_tests.two_inputs import two_inputs

__all__ = ["two_inputs"]  # a fixture

FEW_ROWS = {"n": 5, "last": 3}


@pytest.fixture
def network(name):
    return gallery.load(name)


def drawn(name, n=None, last=None):
    """Draw a network, with so many rows, and so many of its last size, if given."""
    sizes = gallery.sizes_of(name)
    wanted = {"n": n, list(sizes)[-1]: last}
    return gallery.load(name, sizes={key: size for key, size in wanted.items() if size})


def rows(trap, network):
    return shown(trap, network).rows


def source(trap):
    return ast.parse(textwrap.dedent(inspect.getsource(trap))).body[0]


def test_the_weight_is_transposed(network):
    found = rows(traps.transposed_weight, network)
    assert found["weight.shape"] == found["w.shape"][::-1] == network.params["w1"].shape[::-1]
    assert found["difference"] == 0


@pytest.mark.parametrize("sizes", [{}, FEW_ROWS], ids=["own sizes", "few rows"])
def test_the_mean_is_smaller_by_the_number_of_outputs(name, sizes):
    network = drawn(name, **sizes)
    found = rows(traps.averaged_loss, network)
    assert found["y.shape"] == network.y.shape
    assert found["loss_ratio"] == pytest.approx(network.y.size)
    assert found["grad_ratio"] == pytest.approx(network.y.size)


def test_gradients_add_up(network):
    found = rows(traps.added_gradients, network)
    assert found["twice / once"] == 2
    assert found["cleared"] == found["once"] == found["twice"] / 2 > 0


def test_memory_is_shared_and_a_copy_is_not(network):
    w1 = network.params["w1"]
    found = rows(traps.shared_memory, network)
    assert found == {"shared[0]": 100, "copied[0]": w1[0, 0], "w.flat[-1]": -100}


def test_float32_is_the_default_and_refuses_float64(network):
    found = rows(traps.short_numbers, network)
    assert found["layer.weight.dtype"] == "torch.float32"
    assert all(word in found["message"] for word in ("dtype", "Double", "Float"))
    assert 1e-9 < found["lost"] < 1e-6


def test_the_slope_at_zero_is_0_in_pytorch_and_may_be_1_by_hand(network):
    found = rows(traps.relu_at_zero, network)
    assert found["h"] == (-1, 0, 1)
    assert found["h.grad"] == found["strict"] == (0, 0, 1)
    assert found["loose"] == (0, 1, 1)


@pytest.mark.parametrize("before", ["medium", "highest"])
def test_tf32_loses_digits_and_float32_does_not(network, before):
    with arithmetic(FLOAT32):  # puts the setting back
        torch.set_float32_matmul_precision(before)
        found = rows(traps.tf32_products, network)
    assert found["tf32.dtype"] == "torch.float32"
    assert found["error"] < 1e-6
    assert 1e-5 < found["tf32_error"] < 1e-3


@pytest.mark.parametrize("sizes", [{}, FEW_ROWS], ids=["own sizes", "few rows"])
def test_the_average_over_two_ranks_is_half(name, sizes):
    found = rows(traps.averaged_ranks, drawn(name, **sizes))
    assert found["averaged / full"] == pytest.approx(0.5)


def titles(network):
    """Return the names of the traps that a page on a network has."""
    shown = {trap.title for trap in traps_of(network)}
    docs = {trap.__name__: inspect.getdoc(trap) or "" for trap in TRAPS}
    return {name for name, doc in docs.items() if doc.partition(".\n")[0] in shown}


def test_a_network_has_the_traps_that_are_its_own(network):
    has_relu = any(isinstance(part, nn.ReLU) for part in network.reference.model.modules())
    own = {trap.__name__ for trap in TRAPS}
    assert titles(network) == (own if has_relu else own - {"relu_at_zero"})


def test_a_network_of_another_kind_has_the_traps_of_every_network(two_inputs):
    network = gallery.load(two_inputs)
    assert weight_of(network.reference) == ("table", "picked.weight")
    assert titles(network) == {"added_gradients", "shared_memory"}
    for trap in traps_of(network):
        assert trap.rows.get("twice / once", 2) == 2


def test_a_loss_that_is_no_sum_has_no_trap_of_the_average(network):
    reference = replace(network.reference, loss_fn=nn.MSELoss())
    network = replace(network, reference=reference, y=np.zeros(network.y.shape))
    assert not RULES[traps.averaged_loss](network)
    assert not RULES[traps.averaged_ranks](network)


@pytest.mark.parametrize("trap", TRAPS)
def test_nothing_is_changed(network, trap):
    net = network.reference.model
    for parameter in net.parameters():
        parameter.grad = torch.ones_like(parameter)
    given = network.params, network.x, network.y
    before = copy.deepcopy(given)
    weights = {name: weight.numpy().copy() for name, weight in net.state_dict().items()}
    random, settings = torch.get_rng_state(), (read(), torch.get_default_dtype())
    first = shown(trap, network)
    assert shown(trap, network) == first
    np.testing.assert_equal(given, before)
    np.testing.assert_equal({name: w.numpy() for name, w in net.state_dict().items()}, weights)
    assert all(p.dtype is torch.float32 and (p.grad == 1).all() for p in net.parameters())
    assert torch.equal(torch.get_rng_state(), random)
    assert (read(), torch.get_default_dtype()) == settings


@pytest.mark.parametrize("trap", TRAPS)
def test_what_is_shown_is_short_and_plain(network, trap):
    title, text, code, found = shown(trap, network)
    assert title == trap.__doc__.splitlines()[0][:-1]
    assert text.endswith(".")
    assert "\n" not in text
    assert "  " not in text
    assert text.count("`") % 2 == 0
    lines = code.splitlines()
    assert 2 <= len(lines) <= 10
    assert max(map(len, lines)) <= 88
    assert all(type(value) in (float, str, tuple) for value in found.values())
    assert json.loads(json.dumps(found)).keys() == found.keys()


@pytest.mark.parametrize("trap", TRAPS)
def test_the_code_is_all_that_is_run_and_the_labels_are_what_is_returned(trap):
    _, *statements, result = source(trap).body
    code = traps.code(trap)
    assert ast.dump(ast.parse(code)) == ast.dump(ast.Module(statements, []))
    for label, value in zip(result.value.keys, result.value.values, strict=True):
        assert label.value == ast.unparse(value)
