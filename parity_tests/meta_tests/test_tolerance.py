"""What rounding can do, as it is measured."""

from dataclasses import replace

import numpy as np
import pytest

from handgrad.compare.tolerance import Noise, factor, noise_of
from handgrad.load import gallery
from handgrad.run.perturb import COARSE, perturb, perturbed_runs
from handgrad.run.precision import BFLOAT16, FLOAT32, FLOAT64
from handgrad.run.reference import run_reference

EPS = FLOAT64.eps


def test_noise_follows_cancellation():
    """A sum that cancels to nearly 0 keeps the errors of its terms."""
    network = gallery.load("three_layer_relu_bias", sizes={"n": 2, "d_out": 1})
    y_pred = network.forward(network.params, network.x, network.y)["y_pred"]
    network = replace(network, y=y_pred + np.array([[1.0], [-1.0 + 1e-9]]))
    noise = noise_of(network, FLOAT64).draw_all()
    assert noise.noise["grad_b3"] > 1e3 * EPS * noise.largest["grad_b3"]
    assert noise.noise["grad_y_pred"] < 1e3 * EPS * noise.largest["grad_y_pred"]


def test_each_draw_can_only_add_to_the_noise():
    noise = noise_of(gallery.load("three_layer_sigmoid_bias"), FLOAT64)
    first = dict(noise.noise)
    assert first == {name: max(EPS * size, FLOAT64.tiny) for name, size in noise.largest.items()}
    measures = [first]
    while noise.draw():
        measures.append(dict(noise.noise))
    assert len(measures) == 1 + len(COARSE) + FLOAT64.draws
    for name in first:
        found = [measure[name] for measure in measures]
        assert found == sorted(found)
    assert any(measures[-1][name] > 2 * first[name] for name in first)


def test_draws_are_made_only_where_a_difference_needs_one():
    made = []

    def draws():
        for move in (1e-7, 1e-6, 1e-3):
            made.append(move)
            yield {"h": np.array([1.0 + move])}, 1e-8

    noise = Noise({"h": np.array([1.0])}, draws, FLOAT64, ())
    assert noise.explains("h", 10 * EPS)
    assert made == []
    assert noise.explains("h", 2 * noise.factor * 1e-7 * 1e-8)
    assert made == [1e-7, 1e-6]
    assert not noise.explains("h", 1.0)
    assert made == [1e-7, 1e-6, 1e-3]


def test_parameters_get_no_tolerance():
    noise = noise_of(gallery.load("two_layer_relu"), FLOAT64)
    assert noise.tolerance("w1") == 0
    assert noise.tolerance("h") > 0


def test_long_sums_are_allowed_what_adding_up_makes():
    assert factor(FLOAT64, 100) == 64
    assert factor(FLOAT64, 1000) == 500
    assert factor(BFLOAT16, 1000) == 8  # summed in float32
    assert factor(BFLOAT16, 2**24) == 128


def test_what_may_overflow_is_known():
    big = {"h": np.array([1e38]), "a": np.array([1e30])}
    noise = Noise(big, lambda: iter([]), FLOAT32, ())
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
    for drawn, _ in perturbed_runs(network, FLOAT64, exact, {}):
        assert ((drawn["h_relu"] > 0) == zero).all()
