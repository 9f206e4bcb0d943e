"""A sentence is true, or it is not said."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

import handgrad
from handgrad.compare.judge import judge
from handgrad.explain.case import Case
from handgrad.explain.causes import explain
from handgrad.explain.finite_difference import Slope
from handgrad.explain.passes import sentence
from handgrad.load import gallery
from handgrad.run.hand_written import run_hand_written
from handgrad.run.precision import precision_of
from handgrad.show.sentences import SUBGRADIENT


class Twice(nn.Module):
    """One activation that is called twice."""

    def __init__(self, activation):
        super().__init__()
        self.z1, self.z2, self.out = nn.Linear(4, 5), nn.Linear(5, 5), nn.Linear(5, 2)
        self.h = activation()

    def forward(self, x):
        return self.out(self.h(self.z2(self.h(self.z1(x)))))


def quantities(n=7, act=np.tanh, slope=lambda a: 1 - a**2):
    """Return a right derivation of Twice."""
    draw = np.random.default_rng(0).standard_normal
    x, y, w1, b1, w2, b2 = (draw(s) for s in ((n, 4), (n, 2), (4, 5), 5, (5, 5), 5))
    w3, b3 = draw((5, 2)), draw(2)
    z1 = x @ w1 + b1
    h = act(z1)
    z2 = h @ w2 + b2
    h_2 = act(z2)
    out = h_2 @ w3 + b3
    loss = ((out - y) ** 2).sum()
    dout = 2 * (out - y)
    dh_2 = dout @ w3.T
    dz2 = dh_2 * slope(h_2)
    dw2, dh = h.T @ dz2, dz2 @ w2.T
    dz1 = dh * slope(h)
    return {k: v for k, v in locals().items() if k not in ("act", "slope", "draw", "n")}


def cause_of(name, right=None, activation=nn.Tanh, **wrong):
    """Check a derivation of Twice with something wrong in it; return the cause of one quantity."""
    given = {**(right or quantities()), **wrong}
    report = handgrad.check(given, Twice(activation), given["x"], given["y"])
    return next(f.cause for f in report.findings if f.name == name)


@pytest.mark.parametrize(
    ("slope", "said"),
    [
        (lambda a: a, "is `h_2`, where 1 - `h_2`**2 is meant"),
        (lambda a: 1 - a, "is 1 - `h_2`, where 1 - `h_2`**2 is meant"),
        (lambda a: a * (1 - a), "is `h_2` * (1 - `h_2`), where 1 - `h_2`**2 is meant"),
    ],
)
def test_what_stands_for_a_tanhs_slope_is_no_half_of_it(slope, said):
    right = quantities()
    cause = cause_of("dz2", dz2=right["dh_2"] * slope(right["h_2"]))
    assert cause.message == f"In `dz2`, the derivative of the Tanh {said}."


def test_the_module_of_a_second_call_is_that_of_the_first():
    right = quantities()
    message = cause_of("dz2", dz2=right["dh_2"]).message
    assert message == (
        "`dz2` equals `dh_2`: the derivative of the Tanh is missing; multiply by `1 - h_2**2`."
    )


def test_a_factor_that_may_be_two_things_is_called_both():
    right = quantities(n=2)
    cause = cause_of("dh", right, dh=2 * right["dh"])
    assert cause.message == (
        "`dh` is 2 times what is meant, which here is also n (the rows) and d_out (the columns) "
        "times."
    )


def test_no_bias_gradient_is_the_mean_over_the_columns():
    network = gallery.load("three_layer_relu_bias", sizes={"d_out": 3})
    actual = run_hand_written(network)
    cause = explained(network, {**actual, "grad_b1": actual["grad_b1"] / 3}, "grad_b1")
    assert cause == ("factor", "`grad_b1` is 1/d_out (the columns) times what is meant.")


def test_an_array_of_n_by_n_is_no_broadcast_unless_its_numbers_are():
    network = gallery.load("two_layer_relu")
    actual = run_hand_written(network)
    p, y = actual["y_pred"], network.y
    for wrong, is_broadcast in ((2 * (p - y[:, 0]), True), (np.ones((len(y), len(y))), False)):
        message = explained(network, {**actual, "grad_y_pred": wrong}, "grad_y_pred").message
        assert ("broadcast" in message) is is_broadcast


def explained(network, actual, name, noise=None):
    """Return the cause of one quantity, in as much noise as is said."""
    with np.errstate(all="ignore"):
        _, steps = judge(network, actual, precision_of(network.params))
        if noise is not None:
            steps.tolerance = lambda name: np.array(noise)
        return explain(steps, name)


@pytest.mark.parametrize(("factor", "part"), [(-3, 1 / 4), (20, 1), (1e-9, 1 / 12)])
def test_where_noise_is_a_sizable_part_of_the_entries_nothing_is_explained(factor, part):
    network = gallery.load("three_layer_relu")
    actual = run_hand_written(network)
    wrong = factor * actual["grad_w2"]
    sizable = np.abs(actual["grad_w2"]).max() * part
    changed = {**actual, "grad_w2": wrong}
    assert explained(network, changed, "grad_w2").kind != "unknown"
    assert explained(network, changed, "grad_w2", sizable).kind == "unknown"


def test_whole_numbers_have_no_precision():
    network = gallery.load("three_layer_relu")
    actual = run_hand_written(network)
    right = actual["grad_w2"]
    noise = np.abs(right).max() * 1e-7  # the rounding of float32 is then all of the entries
    for wrong in (np.zeros_like(right), np.rint(right) + 3, (right > 0) * 1.0):
        changed = {**actual, "grad_w2": wrong}
        assert explained(network, changed, "grad_w2", noise).kind != "precision"
    whole = (-np.abs(right) - 1).astype(int)  # cut off, and of the wrong sign as well
    assert explained(network, {**actual, "grad_w2": whole}, "grad_w2").kind != "precision"


def test_what_is_computed_from_a_wrong_quantity_does_not_explain_it():
    """In `residual`, grad_h2 is grad_total as it came: rightly equal, however wrong that is."""
    network = gallery.load("residual")
    actual = run_hand_written(network)
    wrong = actual["grad_total"] + np.random.default_rng(0).standard_normal(
        actual["grad_total"].shape
    )
    changed = {**actual, "grad_total": wrong, "grad_h2": wrong}
    assert explained(network, changed, "grad_total").kind == "unknown"


def test_unknown_speaks_of_the_entries_that_differ():
    network = gallery.load("two_layer_relu")
    actual = run_hand_written(network)
    wrong = actual["grad_w2"] * np.linspace(1, 2, actual["grad_w2"].size)[:, None]
    message = explained(network, {**actual, "grad_w2": wrong}, "grad_w2").message
    assert message.endswith(" is meant.")
    assert "nan" not in message
    loss = explained(network, {**actual, "loss": np.array(3.5)}, "loss").message
    assert loss.startswith("`loss` is 3.5 where ")
    infinite = explained(network, {**actual, "loss": np.array(np.inf)}, "loss").message
    assert infinite.startswith("`loss` is inf where ")


def test_two_numbers_that_differ_are_written_so():
    network = gallery.load("two_layer_relu")
    actual = run_hand_written(network)
    wrong = actual["grad_w1"].copy()
    wrong[np.unravel_index(np.abs(wrong).argmax(), wrong.shape)] *= 1 + 5e-13
    actual_text, meant = explained(network, {**actual, "grad_w1": wrong}, "grad_w1").message.split(
        " where "
    )
    assert actual_text.split()[-1] != meant.split()[0]


@pytest.mark.parametrize("name", ["three_layer_relu_bias", "layer_norm", "shared_weight"])
def test_a_step_alone_gives_what_the_pass_gives(name):
    network = gallery.load(name)
    _, steps = judge(network, run_hand_written(network), precision_of(network.params))
    before = {k: v.clone() for k, v in network.reference.model.state_dict().items()}
    asked = 0
    for quantity in steps.expected:
        case = Case(steps, quantity)
        if quantity in network.params or case.alone is None:
            continue
        for other in steps.inputs(quantity):
            if (array := case.given(other)) is not None:
                replaced = {other: 0.3 - array}
                asked += 1
                np.testing.assert_allclose(
                    case.recompute(replaced), steps.recompute(replaced)[quantity], rtol=1e-10
                )
    assert asked > 20
    after = network.reference.model.state_dict()
    assert all(torch.equal(before[k], after[k]) for k in before)


@pytest.mark.parametrize("quantity", ["grad_w2", "grad_h1_relu", "grad_b2", "h2"])
def test_a_mistake_of_unknown_cause_takes_few_passes(quantity, monkeypatch):
    network = gallery.load("three_layer_relu_bias")
    actual = run_hand_written(network)
    draw = np.random.default_rng(0).standard_normal
    actual[quantity] = actual[quantity] * draw(actual[quantity].shape)
    _, steps = judge(network, actual, precision_of(network.params))
    passes = []
    inner = steps.recompute

    def counted(*given, **how):
        passes.append(given)
        return inner(*given, **how)

    monkeypatch.setattr(steps, "recompute", counted)
    assert explain(steps, quantity).kind == "unknown"
    assert len(passes) <= 5


def test_where_a_step_takes_a_pass_a_large_network_gets_few():
    network = gallery.load("residual")
    _, steps = judge(network, run_hand_written(network), precision_of(network.params))
    case = Case(steps, "total")
    assert case.alone is None
    assert 5 <= len(list(case.passes)) < 200_000


def test_no_sentence_speaks_of_a_relu_where_there_may_be_none():
    assert "ReLU" not in SUBGRADIENT


def finding(name, verdict, kind="gradient"):
    return SimpleNamespace(name=name, verdict=verdict, kind=kind)


def measured(**agrees):
    return [Slope(name, (2,), 0.0, 1.0, 1.0, right) for name, right in agrees.items()]


def test_finite_differences_never_contradict_the_findings():
    right, wrong = measured(w=True, b=True), measured(w=False, b=True)
    grad_w, value = finding("grad_w", "wrong"), finding("h", "wrong", "value")
    assert "are right" not in sentence(right, [grad_w])
    assert "are right" not in sentence(right, [finding("grad_h", "wrong"), grad_w])
    assert "are right" in sentence(right, [finding("grad_h", "wrong")])
    assert "are right" not in sentence(
        right, [finding("grad_h", "wrong"), finding("grad_b", "inherited")]
    )
    assert "backward pass is wrong" in sentence(wrong, [grad_w])
    assert "two different networks" in sentence(wrong, [grad_w, value])
    nothing = sentence(wrong, [finding("grad_w", "subgradient")])
    assert "backward pass is wrong" not in nothing
    assert "gradient of w is not the slope" in nothing
    for verdict in ("accumulated", "missing", "inconclusive"):
        assert "both are the reference's" not in sentence(right, [finding("grad_h", verdict)])
    assert "another network" not in sentence(right, [finding("h", "accumulated", "value")])
