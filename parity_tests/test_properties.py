from dataclasses import replace

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from handgrad.compare.judge import judge_steps
from handgrad.compare.steps import Steps
from handgrad.load import gallery
from handgrad.pipeline import check
from handgrad.run.hand_written import run_hand_written
from handgrad.run.precision import precision_of

scales = st.floats(-6, 6).map(lambda exponent: 10.0**exponent)


@st.composite
def networks(draw, name, dtype):
    """Draw a network: any sizes and scales, rows of zeros, constant rows."""
    sizes = {size: draw(st.integers(1, 9), label=size) for size in gallery.sizes_of(name)}
    seed = draw(st.integers(0, 2**32 - 1), label="seed")
    network = gallery.load(name, dtype, seed, sizes)
    params = {
        key: w * w.dtype.type(draw(scales, label=f"scale of {key}"))
        for key, w in network.params.items()
    }
    x = network.x * network.x.dtype.type(draw(scales, label="scale of x"))
    y = network.y
    if y.dtype.kind == "f":
        y = y * y.dtype.type(draw(scales, label="scale of y"))
    x[list(draw(st.sets(st.integers(0, len(x) - 1)), label="rows of zeros"))] = 0
    for row in draw(st.sets(st.integers(0, len(x) - 1)), label="constant rows"):
        x[row] = x[row, 0]
    return replace(network, params=params, x=x, y=y)


def test_both_sides_agree_on_any_network(name, dtype, device):
    """Wherever both are finite; and where one is not, the other is not either."""

    @hypothesis.given(networks(name, dtype))
    def agree(network):
        report = check(network, device)
        assert [f for f in report.findings if f.verdict != "match"] == []

    agree()


def test_no_step_of_a_right_derivation_is_called_wrong(name, dtype):
    @hypothesis.given(networks(name, dtype))
    def right(network):
        with np.errstate(all="ignore"):
            steps = Steps(network, run_hand_written(network), precision_of(network.params))
            assert [f for f in judge_steps(steps) if f.verdict == "wrong"] == []

    right()


@pytest.mark.parametrize("bias", [-720, -90])
def test_both_sides_agree_where_a_sigmoid_is_smaller_than_the_smallest_normal_number(
    dtype, device, bias
):
    network = gallery.load("three_layer_sigmoid_bias", dtype)
    params = {name: w.copy() for name, w in network.params.items()}
    params["w2"] *= 1e-3
    params["b2"][:] = bias
    report = check(replace(network, params=params), device)
    assert [f for f in report.findings if f.verdict != "match"] == []
