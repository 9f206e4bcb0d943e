"""References that keep some numbers in float32: a derivation with all digits is right as well."""

import numpy as np
import pytest
import torch
from torch import nn

from handgrad import check
from parity_tests.product_tests.test_references import draw, verdicts


class Scaled(nn.Module):
    """`s = 0.1 h`, the 0.1 in float32 in one of the ways that people keep a constant."""

    def __init__(self, way, number=0.1):
        super().__init__()
        self.h = nn.Linear(3, 4, bias=False)
        self.s = nn.Identity()
        self.way, self.number = way, number
        if way == "buffer":
            self.register_buffer("factor", torch.tensor([number]))
        elif way == "attribute":
            self.factor = torch.full((4,), number)

    def forward(self, x):
        factor = self.factor if self.way != "inside" else torch.tensor(self.number)
        return self.s(self.h(x) * factor)


def derived(number=0.1):
    x, y, w = draw(6, 3), draw(6, 4), draw(3, 4)
    h = x @ w
    s = number * h
    ds = 2 * (s - y)
    dh = ds * number
    return {"w": w, "h": h, "s": s, "ds": ds, "dh": dh, "dw": x.T @ dh}, x, y


@pytest.mark.parametrize("way", ["buffer", "attribute", "inside"])
def test_a_constant_in_float32_is_no_mistake_of_the_users(way):
    run, x, y = derived()
    report = check(run, Scaled(way), x, y)
    assert report.ok
    assert {v for n, v in verdicts(report).items() if n != "loss"} == {"match"}
    assert any("has numbers in float32" in note for note in report.notes)
    for name in ("dh", "dw"):
        wrong = check({**run, name: run[name] * (1 + 1e-4)}, Scaled(way), x, y)
        assert wrong.first == name
    assert check({**run, "ds": run["ds"] * (1 + 1e-8)}, Scaled(way), x, y).first == "ds"


@pytest.mark.parametrize("way", ["buffer", "attribute", "inside"])
def test_a_constant_that_float32_holds_exactly_excuses_nothing(way):
    run, x, y = derived(0.5)
    assert check(run, Scaled(way, 0.5), x, y).ok
    report = check({**run, "dh": run["dh"] * (1 + 1e-8)}, Scaled(way, 0.5), x, y)
    assert report.first == "dh"
    assert not any("float32" in note for note in report.notes)


def test_a_constant_that_the_user_has_by_name_is_taken_with_all_its_digits():
    run, x, y = derived()
    run["factor"] = np.array([0.1])
    report = check(run, Scaled("buffer"), x, y)
    assert report.ok
    assert any("In the reference as well: your factor" in note for note in report.notes)
    assert check({**run, "dh": run["dh"] * (1 + 1e-8)}, Scaled("buffer"), x, y).first == "dh"
    run["factor"] = np.array([0.2])  # another number is another network
    assert "your factor" not in str(check(run, Scaled("buffer"), x, y).notes)


def test_the_weights_of_a_loss_are_taken_in_the_dtype_of_the_run():
    x, w, y = draw(6, 3), draw(3, 1), (draw(6, 1) > 0).astype(int)
    p = 1 / (1 + np.exp(-x @ w))
    dz = np.where(y == 1, 3 * (p - 1), p)
    loss = nn.BCEWithLogitsLoss(pos_weight=torch.tensor([3.0]), reduction="sum")
    net = nn.Linear(3, 1, bias=False)
    assert check({"w": w, "dw": x.T @ dz}, net, x, y, loss=loss).ok
    assert check({"w": w, "dw": x.T @ (p - y)}, net, x, y, loss=loss).first == "dw"
    assert loss.get_buffer("pos_weight").dtype is torch.float32
    w, labels = draw(3, 2), np.array([0, 1, 1, 0, 1, 0])
    p = np.exp(x @ w) / np.exp(x @ w).sum(1, keepdims=True)
    dz = (p - np.eye(2)[labels]) * np.where(labels, 3, 1)[:, None] / 12
    weighted = nn.CrossEntropyLoss(weight=torch.tensor([1.0, 3.0]))
    assert check({"w": w, "dw": x.T @ dz}, nn.Linear(3, 2, bias=False), x, labels, loss=weighted).ok


def test_a_wrong_constant_is_wrong():
    run, x, y = derived(0.1001)
    assert check(run, Scaled("buffer"), x, y).first == "s"
