"""What a formula has in between, and what is almost 0, tied or too large: no mistakes."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from handgrad import check
from handgrad.compare.second_look import nearby
from handgrad.compare.steps import Steps
from handgrad.network import Network, Reference
from handgrad.pipeline import check as check_network
from handgrad.run.exact import ExactFunctions
from handgrad.run.precision import FLOAT64, PRECISIONS
from parity_tests.meta_tests.seen import SUM, Named, failing

architectures = pytest.importorskip("benchmarks.architectures", reason="not in a checkout")

TARGET = torch.rand(4, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
FUNCTIONS = {
    "softmax": lambda x: functional.softmax(x, 1) * TARGET,
    "gelu": lambda x: functional.gelu(x) * TARGET,
    "gelu by tanh": lambda x: functional.gelu(x, approximate="tanh") * TARGET,
    "bce": lambda x: functional.binary_cross_entropy_with_logits(x, TARGET, weight=1 + TARGET),
    "weighted bce": lambda x: functional.binary_cross_entropy_with_logits(
        x, TARGET, reduction="sum", pos_weight=1 + TARGET[0]
    ),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_formula_with_a_move_of_nothing_has_the_value_and_the_derivative(name):
    x = torch.linspace(-3, 3, 20, dtype=torch.float64).reshape(4, 5).requires_grad_()
    moved = []

    def unmoved(_, tensor):
        moved.append(tensor)
        return tensor.detach().clone()

    right = FUNCTIONS[name](x)
    with ExactFunctions(unmoved):
        found = FUNCTIONS[name](x)
    assert len(moved) == 1
    torch.testing.assert_close(found, right)
    grads = (torch.autograd.grad(value.sum(), x)[0] for value in (found, right))
    torch.testing.assert_close(*grads)


@pytest.mark.parametrize("off", [0.0, 1e-3])
def test_gelu_far_below_0(off):
    """1 + tanh(...) is exactly 0 there in PyTorch, and by hand a last bit of 1 in some entries."""
    rng = np.random.default_rng(0)
    x, w, y = rng.uniform(7.1, 7.3, (40, 1)), -np.ones((1, 8)), rng.standard_normal((40, 8))
    w[0, 0] = 0.1  # one column is far larger
    c = np.sqrt(2 / np.pi)
    h = x @ w
    tanh = np.tanh(c * (h + 0.044715 * h**3))
    out = 0.5 * h * (1 + tanh)
    dout = 2 * (out - y)
    slope = 0.5 * (1 + tanh) + 0.5 * h * (1 - tanh**2) * c * (1 + 3 * 0.044715 * h**2)
    dh = dout * slope
    dh[:, 0] *= 1 + off
    run = {"w": w, "h": h, "out": out, "dout": dout, "dh": dh, "dw": x.T @ dh}
    report = check(run, Named(1, 8, nn.GELU(approximate="tanh")), x, y)
    assert failing(report) == ({"dh"} if off else set())


@pytest.mark.parametrize("wrong", [False, True])
def test_a_binary_cross_entropy_of_next_to_nothing(wrong):
    """PyTorch subtracts -400 from -400 for it."""
    x, w, y = np.linspace(300, 500, 6)[:, None], np.array([[-1.0, 1.0]]), np.array([[0.0, 1.0]])
    y = np.repeat(y, 6, axis=0)
    out = x @ w
    small = np.exp(-np.abs(out))
    loss = (np.maximum(out, 0) - out * y + np.log1p(small)).sum()
    dout = np.where(out > 0, 1, small) / (1 + small) - y
    if wrong:
        loss = loss + 1e-6
    run = {"w": w, "out": out, "loss": loss, "dout": dout, "dw": x.T @ dout}
    model = nn.Sequential()
    model.add_module("out", nn.Linear(1, 2, bias=False))
    report = check(run, model, x, y, loss=nn.BCEWithLogitsLoss(reduction="sum"))
    assert failing(report) == ({"loss"} if wrong else set())


def test_a_sigmoid_that_one_program_flushes_to_0():
    """1 / (1 + exp(710.5)) is 0, since the exp is inf; times 1e12, the other is 1e-297."""
    x, w, y = np.array([[1.0], [1.0001]]), np.array([[-710.5, 800.0]]), np.full((2, 2), -1e12)
    h = x @ w
    small = np.exp(-np.abs(h))
    out = np.where(h < 0, small, 1) / (1 + small)
    assert 0 < out[0, 0] < FLOAT64.tiny
    dout = 2 * (out - y)
    dh = dout * out * (1 - out)
    run = {"w": w, "h": h, "out": out, "dout": dout, "dh": dh, "dw": x.T @ dh}
    assert check(run, Named(1, 2, nn.Sigmoid()), x, y).ok


def largest_of_two():
    """Return a Network that takes the larger of two entries, both the same, and its trace."""

    class Larger(nn.Module):
        def forward(self, h):
            return h.max(dim=1).values

    x, w, y = np.ones((1, 1)), np.ones((1, 2)), np.zeros(1)
    model = Named(1, 2, Larger())
    network = Network("larger", {"w": w}, x, y, Reference(model, {"w": "h.weight.T"}, SUM))
    h = x @ w
    return network, {"w": w, "h": h, "out": h[:, 0], "loss": np.array(1.0)}


def test_each_pair_of_nearby_points_shows_a_tie():
    network, trace = largest_of_two()
    steps = Steps(network, trace, FLOAT64)
    off = {"grad_h": np.ones((1, 2), bool)}
    for pair in range(10):
        one, other = (nearby(steps, off, 2 * pair + side)["grad_h"] for side in (0, 1))
        assert sorted([*one[0], *other[0]]) == [0, 0, 2, 2]
        assert np.array_equal(one[0], other[0, ::-1])


@pytest.mark.parametrize("seed", range(6))
def test_a_slope_at_0_that_more_digits_would_not_have_at_0(seed):
    """In extended precision x w + b is not exactly what it was rounded to: no rounding of it."""
    network = architectures.draw("l1_one_sided", seed=seed)
    y_pred = network.forward(network.params, network.x, network.y)["y_pred"]
    y = y_pred + 1
    y[0, 0] = y_pred[0, 0]
    report = check_network(replace(network, y=y))
    verdicts = {f.name: f.verdict for f in report.findings}
    assert report.ok
    assert verdicts.pop("grad_y_pred") == "subgradient"
    assert set(verdicts.values()) == {"match"}


SEEN = [
    *[("bce_logits", "float64", 295), ("bce_logits", "float64", 335)],
    *[("gpt_block", "float64", 258), ("tied_maxima_last", "float64", 344)],
    *[("exploding", "float32", 106), ("exploding", "float32", 112)],
    *[("l1_one_sided", "float32", 5059), ("l1_one_sided", "float64", 20043)],
]


@pytest.mark.parametrize(("name", "dtype", "seed"), SEEN)
def test_what_was_called_wrong_once(name, dtype, seed):
    network = architectures.draw(name, dtype, seed, awkward=True)
    assert failing(check_network(network, precision=PRECISIONS[dtype])) == set()
