from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from handgrad.load import gallery
from handgrad.pipeline import check
from handgrad.run.hand_written import named_inputs, run_hand_written
from handgrad.run.precision import BFLOAT16, TF32, as_tensor, precision_of, rounded, to_numpy
from handgrad.run.reference import oriented, path_of, put_parameters
from handgrad.train.drift import train_both_sides
from parity_tests.cases import CASES, assert_step_allowed, draw_case, tolerances
from parity_tests.conftest import slow_but

FEW = 12  # steps, where the whole training is not the point


@cache  # two tests ask of each
def checked(name, case, dtype, device):
    """Return a case's network and its report."""
    network = draw_case(name, case, dtype)
    return network, check(network, device)


@pytest.mark.parametrize("case", CASES)
def test_every_quantity_matches(name, case, dtype, device):
    _, report = checked(name, case, dtype, device)
    assert [finding for finding in report.findings if finding.verdict != "match"] == []


@pytest.mark.parametrize("precision", [TF32, BFLOAT16], ids=lambda precision: precision.name)
@pytest.mark.parametrize("case", CASES)
def test_every_quantity_matches_in_short_precisions(name, case, precision, device):
    """TF32 is the GPU's own, or imitated on the CPU."""
    network = draw_case(name, case, "float32")
    params, x, y = (rounded(data, precision) for data in (network.params, network.x, network.y))
    report = check(replace(network, params=params, x=x, y=y), device, precision)
    assert [finding for finding in report.findings if finding.verdict != "match"] == []


@pytest.mark.parametrize("case", CASES)
def test_weights_match_after_one_step(name, case, dtype, device):
    network, report = checked(name, case, dtype, device)
    rate = gallery.learning_rates(name)[-1]
    stored = precision_of(network.params).torch
    reference = gallery.build_reference(name, network.sizes)
    parameters = dict(reference.model.to(device, stored).named_parameters())
    put_parameters(network, parameters, stored, device)
    optimizer = torch.optim.SGD(reference.model.parameters(), lr=rate)
    inputs = [as_tensor(x, stored, device) for x in named_inputs(network.x).values()]
    output = reference.model(*inputs)
    reference.loss_fn(output, as_tensor(network.y, stored, device)).backward()
    optimizer.step()

    grads = run_hand_written(network)
    stepped = {key: w.copy() for key, w in network.params.items()}
    gallery.imported("manual.training").step(stepped, grads, rate)
    off = {}
    for key, entry in reference.parameters.items():
        parameter = parameters[path_of(entry, parameters)]
        expected = to_numpy(oriented(parameter, entry, parameters))
        largest = max(np.abs(stepped[key]).max(), np.abs(expected).max())
        off[key] = np.abs(stepped[key] - expected).max(), largest

    def measured(every_draw):
        if every_draw:
            return tolerances(network, device, every_draw)
        return {finding.name: finding.tolerance for finding in report.findings}

    assert_step_allowed(measured, {}, off, rate)


def assert_trained_alike(network, rates, dtype, device):
    """Train both sides; rounding has to explain the losses' difference at every step."""
    drift = train_both_sides(network, rates, dtype, device)
    assert len(drift.actual) == len(drift.expected) == len(rates)
    assert drift.actual[-1] < drift.actual[0]
    assert drift.ok


@pytest.mark.parametrize("case", slow_but(CASES, "own sizes"))
def test_losses_match_over_the_first_steps(name, case, dtype, device):
    assert_trained_alike(
        draw_case(name, case, dtype), gallery.learning_rates(name)[:FEW], dtype, device
    )


# test_whole_trainings.py has those of its own sizes on the CPU
@pytest.mark.slow
@pytest.mark.parametrize(
    ("case", "device"),
    [("larger", "cpu"), ("larger", "cuda"), ("own sizes", "cuda")],
    indirect=["device"],
)
def test_losses_match_over_the_whole_training(name, case, dtype, device):
    assert_trained_alike(draw_case(name, case, dtype), gallery.learning_rates(name), dtype, device)


def test_every_quantity_is_compared():
    report = check(gallery.load("three_layer_relu_bias"))
    names = [finding.name for finding in report.findings]
    params = ["w1", "b1", "w2", "b2", "w3", "b3"]
    values = ["h1", "h1_relu", "h2", "h2_relu", "y_pred"]
    assert names[:12] == [*params, *values, "loss"]
    assert sorted(names[12:]) == sorted(f"grad_{name}" for name in [*params, *values])
    kinds = [finding.kind for finding in report.findings]
    assert kinds == 6 * ["parameter"] + 5 * ["value"] + ["loss"] + 11 * ["gradient"]
