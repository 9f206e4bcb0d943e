import ast
import copy
import inspect
import json
import textwrap

import numpy as np
import pytest
import torch

from handgrad.run.precision import FLOAT32, arithmetic
from handgrad.lessons import traps
from handgrad.lessons.traps import TRAPS, shown
from parity_tests.meta_tests.test_precision import read
from handgrad.pipeline import build_reference
from handgrad.load.gallery import draw


@pytest.fixture
def given(variant):
    return arguments(variant)


def arguments(variant, **sizes):
    params, x, y = draw(variant, **sizes)
    reference = build_reference(variant, params)
    return reference.model, reference.loss_fn, params, x, y


def rows(trap, given):
    return shown(trap, *given).rows


def source(trap):
    return ast.parse(textwrap.dedent(inspect.getsource(trap))).body[0]


def test_the_weight_is_transposed(given):
    found = rows(traps.transposed_weight, given)
    assert found["weight.shape"] == found["w1.shape"][::-1] == given[2]["w1"].shape[::-1]
    assert found["difference"] == 0


@pytest.mark.parametrize("sizes", [{}, {"n": 5, "d_out": 3}])
def test_the_mean_is_smaller_by_the_number_of_outputs(variant, sizes):
    given = arguments(variant, **sizes)
    found = rows(traps.averaged_loss, given)
    assert found["y.shape"] == given[4].shape
    assert found["loss_ratio"] == pytest.approx(given[4].size)
    assert found["grad_ratio"] == pytest.approx(given[4].size)


def test_gradients_add_up(given):
    found = rows(traps.added_gradients, given)
    assert found["twice / once"] == 2
    assert found["cleared"] == found["once"] == found["twice"] / 2 > 0


def test_memory_is_shared_and_a_copy_is_not(given):
    w1 = given[2]["w1"]
    found = rows(traps.shared_memory, given)
    assert found == {"shared[0, 0]": 100, "copied[0, 0]": w1[0, 0], "w1[-1, -1]": -100}


def test_float32_is_the_default_and_refuses_float64(given):
    found = rows(traps.short_numbers, given)
    assert found["layer.weight.dtype"] == "torch.float32"
    assert all(word in found["message"] for word in ("dtype", "Double", "Float"))
    assert 1e-9 < found["lost"] < 1e-6


def test_the_slope_at_zero_is_0_in_pytorch_and_1_in_the_notebook(given):
    found = rows(traps.relu_at_zero, given)
    assert found["h"] == (-1, 0, 1)
    assert found["h.grad"] == found["strict"] == (0, 0, 1)
    assert found["notebook"] == (0, 1, 1)


@pytest.mark.parametrize("before", ["medium", "highest"])
def test_tf32_loses_digits_and_float32_does_not(given, before):
    with arithmetic(FLOAT32):  # puts the setting back
        torch.set_float32_matmul_precision(before)
        found = rows(traps.tf32_products, given)
    assert found["tf32.dtype"] == "torch.float32"
    assert found["error"] < 1e-6
    assert 1e-5 < found["tf32_error"] < 1e-3


@pytest.mark.parametrize("sizes", [{}, {"n": 5, "d_out": 3}])
def test_the_average_over_two_ranks_is_half(variant, sizes):
    found = rows(traps.averaged_ranks, arguments(variant, **sizes))
    assert found["averaged / full"] == pytest.approx(0.5)


@pytest.mark.parametrize("trap", TRAPS)
def test_nothing_is_changed(given, trap):
    net, _, params, x, y = given
    for parameter in net.parameters():
        parameter.grad = torch.ones_like(parameter)
    before = copy.deepcopy((params, x, y))
    weights = {name: weight.numpy().copy() for name, weight in net.state_dict().items()}
    random, settings = torch.get_rng_state(), (read(), torch.get_default_dtype())
    first = shown(trap, *given)
    assert shown(trap, *given) == first
    np.testing.assert_equal((params, x, y), before)
    np.testing.assert_equal({name: w.numpy() for name, w in net.state_dict().items()}, weights)
    assert all(p.dtype is torch.float64 and (p.grad == 1).all() for p in net.parameters())
    assert torch.equal(torch.get_rng_state(), random)
    assert (read(), torch.get_default_dtype()) == settings


@pytest.mark.parametrize("trap", TRAPS)
def test_what_is_shown_is_short_and_plain(given, trap):
    title, text, code, found = shown(trap, *given)
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
def test_the_code_is_all_that_is_run_and_the_labels_are_what_is_returned(given, trap):
    _, *statements, result = source(trap).body
    code = shown(trap, *given).code
    assert ast.dump(ast.parse(code)) == ast.dump(ast.Module(statements, []))
    for label, value in zip(result.value.keys, result.value.values, strict=True):
        assert label.value == ast.unparse(value)
