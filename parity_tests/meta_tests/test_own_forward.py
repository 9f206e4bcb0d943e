"""The gallery's networks with their own forward pass as the reference, beside the module."""

import numpy as np
import pytest

from handgrad.load import gallery
from handgrad.pipeline import check
from handgrad.run.precision import FLOAT64, arithmetic
from handgrad.run.reference import Substitute, run_reference
from parity_tests.meta_tests.planted import PLANTED, own_forward, wrong_of

ROUNDING = 1e-12  # relative to a gradient's largest entry

# What one of the two references cannot know, or says better. A vector kept as a column is the
# module's other layout, and the own forward's note; what has no name in the module has one here.
ELSEWHERE = {
    "grad_h2.sum(axis=0)[:, None]": {},
    "grad_y_pred.sum()": {},
    "(grad_h1_norm * h1).sum(axis=0)": {"grad_gamma": "other-quantity"},
    "grad_z = grad_h1_norm": {"grad_z": "other-quantity"},
}

IN_BACKWARD = [
    (network, old, new, ELSEWHERE.get(new, wrong))
    for network, cases in PLANTED.items()
    for old, new, wrong in cases
    if all(name.startswith("grad_") for name in wrong)
]


def first_of_each_kind():
    """Return IN_BACKWARD, those marked slow whose kind of cause was there before."""
    seen: set[str] = set()
    marked = []
    for network, old, new, wrong in IN_BACKWARD:
        marks = () if set(wrong.values()) - seen else pytest.mark.slow
        marked.append(pytest.param(network, old, new, wrong, marks=marks))
        seen |= set(wrong.values())
    return marked


def wrong_findings(report):
    """Return the findings that are wrong."""
    return [finding for finding in report.findings if finding.verdict == "wrong"]


def traced(network, substitute=None):
    """Return the trace of a network's reference in float64."""
    with arithmetic(FLOAT64):
        return run_reference(network, FLOAT64, substitute=substitute).quantities


@pytest.mark.parametrize("name", PLANTED)
def test_the_own_forward_has_the_gradients_of_the_module(name):
    expected, actual = traced(gallery.load(name)), traced(own_forward(name))
    assert expected.keys() <= actual.keys()
    for quantity, array in expected.items():
        apart = np.abs(actual[quantity] - array).max()
        assert apart <= ROUNDING * np.abs(array).max(), quantity


@pytest.mark.parametrize("name", PLANTED)
def test_a_right_derivation_is_right_by_its_own_forward(name):
    report = check(own_forward(name))
    assert report.ok
    for finding in report.findings:
        assert finding.verdict == ("match" if finding.kind == "gradient" else "yours")


@pytest.mark.parametrize(("network", "old", "new", "wrong"), first_of_each_kind())
def test_a_mistake_has_the_place_and_the_cause_that_the_module_gives(network, old, new, wrong):
    report = check(own_forward(network, (old, new)))
    found = {name.partition(" (line")[0]: kind for name, kind in wrong_of(report).items()}
    assert found == wrong
    assert bool(wrong) != report.ok


def test_there_are_enough_mistakes_in_backward_passes():
    assert len(IN_BACKWARD) >= 60


@pytest.mark.parametrize("part", ["[:, None]", "grad_y_pred.sum()"])
def test_an_axis_of_length_1_is_a_note(part):
    (case,) = (case for case in IN_BACKWARD if part in case[2] and not case[3])
    report = check(own_forward(case[0], case[1:3]))
    assert report.ok
    assert "is judged in the shape" in report.notes[0]


def test_the_line_of_a_derivative_that_was_left_out_is_where_its_name_is_assigned():
    report = check(own_forward("two_layer_relu", ("grad_h_relu * (h > 0)", "grad_h_relu")))
    (wrong,) = wrong_findings(report)
    assert wrong.line.code.startswith("grad_h = grad_h_relu")
    assert "the derivative of the ReLU is missing; multiply by `h > 0`" in wrong.cause.message


def test_where_numbers_move_an_entry_stays_on_its_side_of_a_kink():
    network = own_forward("two_layer_relu")
    with arithmetic(FLOAT64):
        exact = run_reference(network, FLOAT64)
    assert len(exact.kinks) == 1

    def move(name, tensor):
        return -tensor if name == "h" else tensor

    free = traced(network, Substitute(move=move))
    kept = traced(network, Substitute(move=move, kinks=exact.kinks))
    is_above = exact.quantities["h"] > 0
    assert np.array_equal(free["h_relu"] > 0, ~is_above)
    assert np.array_equal(kept["h_relu"] != 0, is_above)
