"""Networks that people bring: what is right stays right, what is wrong is found."""

import numpy as np
import pytest
import torch
from torch import nn

from handgrad import InputError, check
from handgrad.pipeline import check_file

RNG = np.random.default_rng(0)


def wrong_of(report):
    return {f.name: f.cause.kind for f in report.findings if f.verdict == "wrong"}


def test_a_single_layer_is_a_reference():
    x, y = RNG.standard_normal((8, 3)), RNG.standard_normal((8, 2))
    w, b = RNG.standard_normal((3, 2)), RNG.standard_normal(2)
    y_pred = x @ w + b
    grad = 2 * (y_pred - y)
    run = {"w": w, "b": b, "y_pred": y_pred, "dw": x.T @ grad, "db": grad.sum(axis=0)}
    assert check(run, nn.Linear(3, 2), x, y).ok
    assert wrong_of(check({**run, "db": grad.mean(axis=0)}, nn.Linear(3, 2), x, y)) == {
        "db": "mean-sum"
    }


def test_a_mistake_is_found_where_maxima_are_tied():
    x = np.ones((4, 6))
    net = nn.Sequential(nn.Linear(6, 8), nn.Unflatten(1, (2, 4)), nn.MaxPool1d(2), nn.Flatten())
    params = {"w": np.ones((6, 8)) / 8, "b": np.zeros(8)}
    h = x @ params["w"]
    pooled = h.reshape(4, 2, 2, 2).max(axis=3).reshape(4, 4)
    grad = 2.0 * pooled
    first = np.zeros((4, 2, 2, 2))
    first[..., 0] = grad.reshape(4, 2, 2)  # PyTorch takes the first of those that are tied
    grad_h = first.reshape(4, 8)
    run = {**params, "h": h, "y_pred": pooled, "grad_y_pred": grad, "grad_h": grad_h}
    names = {"w": "0.weight.T", "b": "0.bias", "h": "0"}
    y = np.zeros((4, 4))
    assert check(run, net, x, y, names=names).ok
    twice = check({**run, "grad_h": 2 * grad_h}, net, x, y, names=names)
    assert set(wrong_of(twice)) == {"grad_h"}


def test_a_mistake_is_found_where_a_residual_is_exactly_0():
    x, w = RNG.standard_normal((6, 3)), RNG.standard_normal((3, 1))
    y_pred = x @ w
    y = np.where(np.arange(6)[:, None] < 2, y_pred, y_pred + 1)
    loss = nn.L1Loss(reduction="sum")
    net = nn.Linear(3, 1, bias=False)
    run = {"w": w, "y_pred": y_pred, "dy_pred": np.sign(y_pred - y)}
    assert check(run, net, x, y, loss=loss).ok
    at_kink = {**run, "dy_pred": np.where(y_pred - y >= 0, 1.0, -1.0)}
    report = check(at_kink, net, x, y, loss=loss)
    assert [f.verdict for f in report.findings if f.name == "dy_pred"] == ["subgradient"]
    assert "dy_pred" in wrong_of(
        check({**run, "dy_pred": 2 * run["dy_pred"]}, net, x, y, loss=loss)
    )


def test_later_calls_of_a_submodule_are_judged_by_their_own_names():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.h = nn.Linear(3, 3, bias=False)

        def forward(self, x):
            return self.h(torch.tanh(self.h(x)))

    x, y, w = RNG.standard_normal((4, 3)), RNG.standard_normal((4, 3)), RNG.standard_normal((3, 3))
    h = x @ w
    h_2 = np.tanh(h) @ w
    grad_h_2 = 2 * (h_2 - y)
    run = {"w": w, "h": h, "h_2": h_2, "grad_h_2": grad_h_2}
    report = check(run, Twice(), x, y)
    assert {f.name: f.verdict for f in report.findings if f.name.endswith("h_2")} == {
        "h_2": "match",
        "grad_h_2": "match",
    }
    assert wrong_of(check({**run, "grad_h_2": -grad_h_2}, Twice(), x, y)) == {"grad_h_2": "sign"}


def test_quantities_that_the_reference_does_not_have_are_named():
    x, y, w = RNG.standard_normal((4, 3)), RNG.standard_normal((4, 2)), RNG.standard_normal((3, 2))
    run = {"w": w, "dw": x.T @ (2 * (x @ w - y)), "s": np.ones(3), "ds": np.ones(3), "extra": 1.0}
    report = check(run, nn.Linear(3, 2, bias=False), x, y)
    assert report.ok
    assert any("no submodule of that name: s." in note for note in report.notes)


def test_an_embedding_takes_whole_numbers_and_a_wrong_gradient_is_explained():
    net = nn.Sequential(nn.Embedding(7, 3), nn.Flatten(), nn.Linear(6, 2))
    x = np.array([[0, 1], [2, 2], [6, 0]])
    y = RNG.standard_normal((3, 2))
    table, w, b = RNG.standard_normal((7, 3)), RNG.standard_normal((6, 2)), np.zeros(2)
    e = table[x].reshape(3, 6)
    y_pred = e @ w + b
    grad = 2 * (y_pred - y)
    d_table = np.zeros_like(table)
    np.add.at(d_table, x, (grad @ w.T).reshape(3, 2, 3))
    once = np.zeros_like(table)
    once[x] = (grad @ w.T).reshape(3, 2, 3)  # what stands there twice is counted once
    names = {"table": "0.weight", "w": "2.weight.T", "b": "2.bias"}
    run = {"table": table, "w": w, "b": b, "y_pred": y_pred, "d_table": d_table}
    assert check(run, net, x, y, names=names).ok
    assert set(wrong_of(check({**run, "d_table": once}, net, x, y, names=names))) == {"d_table"}


def test_a_loss_that_takes_no_number_beyond_1_is_no_trouble():
    x, w = RNG.standard_normal((6, 3)), 30 * RNG.standard_normal((3, 1))
    y = (RNG.random((6, 1)) > 0.5).astype(float)
    h = x @ w
    y_pred = 1 / (1 + np.exp(-h))
    net = nn.Sequential(nn.Linear(3, 1, bias=False), nn.Sigmoid())
    run = {"w": w, "h": h, "y_pred": y_pred, "dh": y_pred - y}
    names = {"w": "0.weight.T", "h": "0"}
    loss = nn.BCELoss(reduction="sum")
    check(run, net, x, y, loss=loss, names=names)
    wrong = check({**run, "dh": y - y_pred}, net, x, y, loss=loss, names=names)
    assert set(wrong_of(wrong)) == {"dh"}


def test_a_check_under_no_grad_is_a_check_all_the_same():
    x, y, w = RNG.standard_normal((4, 3)), RNG.standard_normal((4, 2)), RNG.standard_normal((3, 2))
    run = {"w": w, "dw": x.T @ (2 * (x @ w - y))}
    with torch.no_grad():
        assert check(run, nn.Linear(3, 2, bias=False), x, y).ok
    assert wrong_of(check({**run, "dw": (-run["dw"]).tolist()}, nn.Linear(3, 2, bias=False), x, y))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"names": ["w"]}, "must be a dict"),
        ({"names": {"w": 1}}, "must be a dict"),
        ({"reference": nn.LazyLinear(2)}, "lazy layers"),
        ({"loss": lambda output, y: (output - y).detach().square().sum()}, "leave out detach"),
    ],
    ids=["list", "number", "lazy", "detached"],
)
def test_what_cannot_be_checked_is_one_sentence(change, words):
    x, y, w = np.ones((4, 3)), np.ones((4, 2)), np.ones((3, 2))
    arguments = {"quantities": {"w": w, "dw": w}, "reference": nn.Linear(3, 2, bias=False)}
    with pytest.raises(InputError, match=words):
        check(**{**arguments, "x": x, "y": y, **change})


FILE = """
from __future__ import annotations
from dataclasses import dataclass
import numpy as np
from layers import slope

@dataclass
class Sizes:
    n: int = 4

def init(rng):
    x = rng.standard_normal((Sizes().n, 3)); x[1] = 0
    return {"w": rng.standard_normal((3, 2)), "b": np.zeros(2)}, x, np.ones((4, 2))

def forward(params, x, y):
    h = x @ params["w"] + params["b"]
    y_pred = np.maximum(h, 0)
    return {"h": h, "y_pred": y_pred, "loss": np.square(y_pred - y).sum()}

def backward(params, x, y, values):
    grad_h = 2 * (values["y_pred"] - y) * slope(values["h"])
    return {"grad_h": grad_h, "grad_w": x.T @ grad_h, "grad_b": grad_h.sum(axis=0)}
"""


def test_each_file_gets_its_own_neighbours_and_a_kink_at_the_point_is_no_mistake(tmp_path):
    reports = []
    for name, slope in (("a", "h > 0"), ("b", "-(h > 0)")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "mine.py").write_text(FILE)
        (folder / "layers.py").write_text(
            f"def slope(h):\n    return {slope}\n".replace("-(", "-1.0 * (")
        )
        reports.append(check_file(folder / "mine.py")[0])
    right, wrong = reports
    assert right.ok
    assert "The reference is your own forward pass" in right.notes[0]
    assert wrong.first == "grad_h"


def test_a_long_chain_that_amplifies_everything_is_no_mistake():
    class Map(nn.Module):
        def __init__(self):
            super().__init__()
            self.z = nn.Linear(1, 1, bias=False)
            for i in range(45):
                self.add_module(f"z{i}", nn.Identity())

        def forward(self, x):
            z = self.z(x)
            for i in range(45):
                z = self.get_submodule(f"z{i}")(4 * z * (1 - z))
            return z

    x, y, w = RNG.random((4, 1)), np.zeros((4, 1)), np.ones((1, 1))
    run = {"w": w, "z": x @ w}
    z = run["z"]
    for i in range(45):
        z = 4 * z - 4 * z * z
        run[f"z{i}"] = z
    run["dz44"] = 2 * z
    assert check(run, Map(), x, y).ok


def test_a_constant_in_float64_in_the_reference_is_no_trouble():
    loss = nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0], dtype=torch.float64))
    x, y, w = RNG.standard_normal((4, 3)), np.array([0, 1, 1, 0]), RNG.standard_normal((3, 2))
    h = torch.tensor(x @ w, requires_grad=True)
    (grad,) = torch.autograd.grad(loss(h, torch.tensor(y)), h)
    right = x.T @ grad.numpy()
    net = nn.Linear(3, 2, bias=False)
    assert check({"w": w, "dw": right}, net, x, y, loss=loss).ok
    assert wrong_of(check({"w": w, "dw": 2 * right}, net, x, y, loss=loss)) == {"dw": "factor"}


def test_all_nan_gradients_after_one_nan_are_no_match():
    x, y, w = RNG.standard_normal((4, 3)), RNG.standard_normal((4, 2)), RNG.standard_normal((3, 2))
    run = {"w": w, "y_pred": x @ w, "dy_pred": 2 * (x @ w - y), "dw": np.full((3, 2), np.nan)}
    run["dy_pred"][0, 0] = np.nan
    report = check(run, nn.Linear(3, 2, False), x, y)
    assert {f.name: f.verdict for f in report.findings if f.verdict != "missing"} == {
        "w": "match",
        "y_pred": "match",
        "dy_pred": "wrong",
        "dw": "wrong",  # its second column is not computed from the nan
    }


def test_a_small_mistake_in_tiny_numbers_is_found():
    x, y = 1e-25 * RNG.standard_normal((4, 3)), 1e-25 * RNG.standard_normal((4, 2))
    w = RNG.standard_normal((3, 2))
    right = x.T @ (2 * (x @ w - y))
    net = nn.Linear(3, 2, bias=False)
    assert check({"w": w, "dw": right}, net, x, y).ok
    assert wrong_of(check({"w": w, "dw": right * (1 + 1e-8)}, net, x, y)) == {"dw": "factor"}


def test_a_loss_that_refuses_the_hand_written_value_is_one_sentence():
    x, w = RNG.standard_normal((6, 3)), RNG.standard_normal((3, 1))
    y = (RNG.random((6, 1)) > 0.5).astype(float)
    net = nn.Sequential(nn.Linear(3, 1, bias=False), nn.Sigmoid())
    names = {"w": "0.weight.T", "p": "1"}
    run = {"w": w, "p": x @ w * 5, "dw": w}  # the sigmoid is forgotten
    with pytest.raises(InputError, match="the reference fails on the hand-written quantities"):
        check(run, net, x, y, loss=nn.BCELoss(), names=names)


class Restless(nn.Module):
    """Changes what it can of itself as it runs."""

    def __init__(self):
        super().__init__()
        self.h = nn.Linear(3, 2, bias=False)

    def forward(self, x):
        self.train(not self.training)
        self.register_buffer("last", x.detach())
        return self.h(x)


def test_a_module_that_changes_itself_gets_its_own_back():
    net = Restless()
    weight, state = net.h.weight, list(net.state_dict())
    x, y, w = RNG.standard_normal((4, 3)), RNG.standard_normal((4, 2)), RNG.standard_normal((3, 2))
    assert check({"w": w, "dy_pred": 2 * (x @ w - y)}, net, x, y).ok
    assert net.training
    assert net.h.weight is weight
    assert list(net.state_dict()) == state


def test_a_module_made_in_inference_mode_is_refused_and_left_as_it_is():
    with torch.inference_mode():
        net = nn.Linear(3, 2, bias=False)
    before = net.weight.clone()
    x, y, w = np.ones((4, 3)), np.ones((4, 2)), np.ones((3, 2))
    with pytest.raises(InputError, match=r"made under torch\.inference_mode"):
        check({"w": w, "dw": w}, net, x, y)
    assert torch.equal(net.weight, before)


@pytest.mark.parametrize("dtype", [np.float16, np.int64])
def test_parameters_that_are_all_of_another_dtype_are_one_sentence(dtype):
    x, y, w = np.ones((4, 3)), np.ones((4, 2)), np.ones((3, 2), dtype)
    with pytest.raises(InputError, match="must be float64 or float32, found"):
        check({"w": w, "y_pred": x @ w}, nn.Linear(3, 2, bias=False), x, y)
