"""What rounding can do, as it is measured."""

from dataclasses import replace

import numpy as np
import pytest

from handgrad.compare.sizes import pooled
from handgrad.compare.tolerance import Noise, factor, noise_of
from handgrad.load import gallery
from handgrad.pipeline import check
from handgrad.run.hand_written import run_hand_written
from handgrad.run.perturb import COARSE, Drawn, perturb, perturbed_runs
from handgrad.run.precision import BFLOAT16, FLOAT32, FLOAT64
from handgrad.run.reference import run_reference

EPS = FLOAT64.eps


def test_noise_follows_cancellation():
    """A sum that cancels to nearly 0 keeps the errors of its terms."""
    network = gallery.load("three_layer_relu_bias", sizes={"n": 2, "d_out": 1})
    y_pred = network.forward(network.params, network.x, network.y)["y_pred"]
    network = replace(network, y=y_pred + np.array([[1.0], [-1.0 + 1e-9]]))
    noise = noise_of(network, FLOAT64).draw_all()
    assert noise.noise("grad_b3") > 1e3 * EPS * noise.largest["grad_b3"]
    assert noise.noise("grad_y_pred") < 1e3 * EPS * noise.largest["grad_y_pred"]


@pytest.mark.parametrize("is_given", [False, True])
def test_each_draw_can_only_add_to_the_noise(is_given):
    network = gallery.load("three_layer_sigmoid_bias")
    noise = noise_of(network, FLOAT64, given=run_hand_written(network) if is_given else None)
    assert noise.by_entry == is_given
    measures = [{name: noise.noise(name) for name in noise.exact}]
    while noise.draw(noise.exact):
        measures.append({name: noise.noise(name) for name in noise.exact})
    assert len(measures) == 1 + len(COARSE) + FLOAT64.draws + 2 * is_given
    for name in noise.exact:
        assert (np.diff([measure[name] for measure in measures], axis=0) >= 0).all()
    assert any((measures[-1][name] > 2 * measures[0][name]).any() for name in noise.exact)


def test_before_the_first_draw_the_noise_is_one_last_bit():
    exact = {"h": np.array([3.0, -4.0, 0.0, 0.0]), "zero": np.zeros(2)}
    assert Noise(exact, no_draws, FLOAT64, (), {}).noise("h") == 4 * EPS
    by_entry = Noise(exact, no_draws, FLOAT64, (), {}, True)
    assert by_entry.noise("h").tolist() == [3 * EPS, 4 * EPS, 2.5 * EPS, 2.5 * EPS]
    assert by_entry.noise("zero").tolist() == 2 * [FLOAT64.tiny]


def no_draws():
    return iter([])


def test_draws_are_made_only_where_a_difference_needs_one():
    made = []

    def draws():
        for move in (1e-7, 1e-6, 1e-3):
            made.append(move)
            yield Drawn({"h": np.array([1.0 + move])}, 1e-8)

    noise = Noise({"h": np.array([1.0])}, draws, FLOAT64, (), {}, True)
    assert noise.unexplained({"h": np.array([10 * EPS])}) == []
    assert made == []
    assert noise.unexplained({"h": np.array([noise.factor("h") * 2e-15])}) == []
    assert made == [1e-7, 1e-6]
    assert noise.unexplained({"h": np.array([1.0])}) == ["h"]
    assert made == [1e-7, 1e-6, 1e-3]


def test_a_small_entry_is_not_hidden_behind_a_large_one():
    h = np.append(1e6, np.ones(10**6))
    noise = Noise({"h": h}, no_draws, FLOAT32, (), {}, True)
    off = np.zeros_like(h)
    off[0] = 1.0
    assert noise.unexplained({"h": off}) == []
    assert noise.unexplained({"h": off[::-1]}) == ["h"]


def test_what_only_a_chain_that_amplifies_explains_is_known():
    def draws():
        yield Drawn({"h": np.array([1.5])}, 1e-8)

    def chaotic():
        yield Drawn({"h": np.array([0.5])}, 1.0)

    noise = Noise({"h": np.array([1.0])}, draws, FLOAT64, (), {}, True, chaotic)
    apart = {"h": np.array([0.7])}
    assert noise.unexplained(apart) == ["h"]
    assert noise.unexplained_by_chaos(apart) == []
    assert noise.tolerance("h") > 1


def test_an_entry_of_a_sum_moves_as_those_of_its_row_and_column_do():
    """What one draw happens not to move, it does not call exact."""
    rng = np.random.default_rng(0)
    scale = 10.0 ** rng.uniform(-6, 6, (40, 1)) * 10.0 ** rng.uniform(-6, 6, 30)
    chances = rng.standard_normal((40, 30))
    chances[3, 4], scale[5] = 1e-9, 0
    ratios = np.delete(pooled(np.abs(scale * chances)) / np.where(scale, scale, 1), 5, axis=0)
    assert ratios.min() > 0.1
    assert ratios.max() < 10
    assert (pooled(np.abs(scale * chances))[5] == 0).all()


def test_parameters_get_no_tolerance():
    noise = noise_of(gallery.load("two_layer_relu"), FLOAT64)
    assert noise.tolerance("w1") == 0 < noise.tolerance("h")


def test_long_sums_are_allowed_what_adding_up_makes():
    assert factor(FLOAT64, 100) == 64
    assert factor(FLOAT64, 1000) == 500
    assert factor(BFLOAT16, 1000) == 8  # summed in float32
    assert factor(BFLOAT16, 2**24) == 128


def test_what_may_overflow_is_known():
    big = {"h": np.array([1e38]), "a": np.array([1e30])}
    noise = Noise(big, no_draws, FLOAT32, (), {})
    assert noise.may_overflow("h")
    assert not noise.may_overflow("a")


@pytest.mark.parametrize("precision", [FLOAT64, FLOAT32])
def test_a_perturbed_number_is_one_last_bit_off_and_a_zero_stays(precision):
    array = np.array([1.0, -4.0, 0.0, precision.tiny / 4])
    moved = perturb(array, precision.eps, precision.tiny, np.random.default_rng(0))
    steps = np.abs(moved - array)
    assert steps[:3].tolist() == [precision.eps, 4 * precision.eps, 0]
    assert steps[3] == precision.tiny


def test_whole_numbers_are_not_perturbed_and_an_entry_stays_on_its_side_of_a_kink():
    network = gallery.load("two_layer_relu", sizes={"n": 4, "d_in": 2, "h": 3})
    network = replace(network, params={k: w.copy() for k, w in network.params.items()})
    network.params["w1"][:, 0] = [1e-12, 0]
    exact = run_reference(network, FLOAT64)
    zero = exact.quantities["h"] > 0
    for drawn in perturbed_runs(network, FLOAT64, exact, {}):
        assert ((drawn.trace["h_relu"] > 0) == zero).all()


def test_the_rest_of_a_sum_that_cancels_gets_all_draws():
    """With one unit layer norm gives a constant: of its gradient only rounding is left, or 0."""
    network = gallery.load("layer_norm", "float32", sizes={"n": 2, "d_in": 4, "h1": 1, "d_out": 2})
    params = {
        "w1": [[0.00793922], [0.23338282], [1.2039442], [0.16706155]],
        "b1": [0.3956014],
        "gamma": [12.775806],
        "beta": [1.0951611],
        "w2": [[-1.5653454, 0.07871234]],
        "b2": [-6.056543, 6.014022],
    }
    x = [
        [-0.54840267, -0.00708061, -0.13627033, -1.34524],
        [-1.5751976, 0.52235895, 0.04761786, 0.52199703],
    ]
    y = [[0.6480671, 0.10266922], [0.68303025, -0.30923602]]
    report = check(
        replace(
            network,
            params={name: np.array(w, np.float32) for name, w in params.items()},
            x=np.array(x, np.float32),
            y=np.array(y, np.float32),
        )
    )
    assert [f.name for f in report.findings if f.verdict != "match"] == []
