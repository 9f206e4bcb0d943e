"""Both sides agree on networks of any sizes and scales, with rows of zeros and constant rows.

They are drawn from seeds, so that each run of the tests sees the same ones; others are what
`python -m benchmarks.never_wrong` is for.
"""

from dataclasses import replace

import numpy as np
import pytest

from handgrad.compare.judge import judge_steps
from handgrad.compare.steps import Steps
from handgrad.load import gallery
from handgrad.pipeline import check
from handgrad.run.hand_written import run_hand_written
from handgrad.run.precision import precision_of
from parity_tests.conftest import MANY

SEEDS = range(MANY)


def draw(name, dtype, seed):
    """Draw a network: any sizes and scales, rows of zeros, constant rows."""
    rng = np.random.default_rng(seed)
    sizes = {size: int(rng.integers(1, 10)) for size in gallery.sizes_of(name)}
    network = gallery.load(name, dtype, seed, sizes)

    def scaled(array):
        return array * array.dtype.type(10 ** rng.uniform(-6, 6))

    params = {key: scaled(w) for key, w in network.params.items()}
    x, y = scaled(network.x), network.y
    if y.dtype.kind == "f":
        y = scaled(y)
    x[rng.random(len(x)) < 0.2] = 0
    constant = rng.random(len(x)) < 0.2
    x[constant] = x[constant, :1]
    return replace(network, params=params, x=x, y=y)


def test_both_sides_agree_on_any_network(name, dtype, device):
    """Wherever both are finite; and where one is not, the other is not either."""
    for seed in SEEDS:
        report = check(draw(name, dtype, seed), device)
        assert [f for f in report.findings if f.verdict != "match"] == [], seed


def test_no_step_of_a_right_derivation_is_called_wrong(name, dtype):
    for seed in SEEDS:
        network = draw(name, dtype, seed)
        with np.errstate(all="ignore"):
            steps = Steps(network, run_hand_written(network), precision_of(network.params))
            assert [f for f in judge_steps(steps) if f.verdict == "wrong"] == [], seed


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
