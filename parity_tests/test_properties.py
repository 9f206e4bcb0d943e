import numpy as np
import pytest

from handgrad.load import gallery as variants
from handgrad.run.trace import manual_trace
from handgrad.explain.verdicts import verdicts
from handgrad.pipeline import build_reference, compare

hypothesis = pytest.importorskip("hypothesis", reason="hypothesis is not installed")
st = hypothesis.strategies

scales = st.floats(-6, 6).map(lambda exponent: 10.0**exponent)


@st.composite
def networks(draw, variant, dtype):
    """Draw `params, x, y`: any sizes and scales, rows of zeros, constant rows."""
    sizes = {name: draw(st.integers(1, 9), label=name) for name in variants.sizes(variant)}
    seed = draw(st.integers(0, 2**32 - 1), label="seed")
    params, x, y = variants.draw(variant, seed, np.dtype(dtype), **sizes)
    for name in params:
        params[name] *= draw(scales, label=f"scale of {name}")
    x *= draw(scales, label="scale of x")
    y *= draw(scales, label="scale of y")
    x[list(draw(st.sets(st.integers(0, len(x) - 1)), label="rows of zeros"))] = 0
    for row in draw(st.sets(st.integers(0, len(x) - 1)), label="constant rows"):
        x[row] = x[row, 0]
    return params, x, y


def test_both_sides_agree_on_any_network(variant, dtype, device):
    """Wherever both are finite; and where one is not, the other is not either."""

    @hypothesis.settings(max_examples=60, deadline=None, derandomize=True, database=None)
    @hypothesis.given(networks(variant, dtype))
    def agree(drawn):
        params, x, y = drawn
        report = compare(variant, params, x, y, device)
        assert [f for f in report.findings if f.verdict != "match"] == []

    agree()


def test_no_step_of_a_right_derivation_is_called_wrong(variant, dtype):
    @hypothesis.settings(max_examples=60, deadline=None, derandomize=True, database=None)
    @hypothesis.given(networks(variant, dtype))
    def right(drawn):
        params, x, y = drawn
        with np.errstate(all="ignore"):
            given = manual_trace(variants.manual_side(variant), params, x, y)
            findings, _ = verdicts(given, build_reference(variant, params), x, y)
        assert [f for f in findings if f.verdict == "wrong"] == []

    right()


def test_both_sides_agree_where_a_sigmoid_is_smaller_than_the_smallest_normal_number(dtype, device):
    params, x, y = variants.draw("three_layer_sigmoid_bias", dtype=np.dtype(dtype))
    params["w2"] *= 1e-3
    params["b2"][:] = -720 if dtype == "float64" else -90
    report = compare("three_layer_sigmoid_bias", params, x, y, device)
    assert [f for f in report.findings if f.verdict != "match"] == []
