"""Modules without parameters: what is judged are the gradients of their inputs."""

# ruff: noqa: N806

import numpy as np
import pytest
from torch import nn
from torch.nn import functional

from handgrad import InputError, check
from parity_tests.product_tests.test_references import draw, sigmoid, verdicts


def softmax_case():
    x, y = draw(5, 4), draw(5, 4)
    e = np.exp(x - x.max(1, keepdims=True))
    s = e / e.sum(1, keepdims=True)
    ds = 2 * (s - y)
    return nn.Softmax(dim=1), x, y, None, s * (ds - (ds * s).sum(1, keepdims=True)), s * ds


def pooling_case():
    x, y = draw(2, 1, 4, 4), draw(2, 1, 2, 2)
    patches = x.reshape(2, 1, 2, 2, 2, 2)
    out = patches.max(axis=(3, 5))
    mask = patches == out[:, :, :, None, :, None]
    dx = (mask * (2 * (out - y))[:, :, :, None, :, None]).reshape(x.shape)
    return nn.MaxPool2d(2), x, y, None, dx, dx / 4


def loss_case():
    x, y = draw(6, 1), (draw(6, 1) > 0).astype(int)
    dx = (sigmoid(x) - y) / 6
    return nn.Identity(), x, y, nn.BCEWithLogitsLoss(), dx, -dx


CASES = {"softmax": softmax_case, "pooling": pooling_case, "a loss": loss_case}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_module_without_parameters_is_judged_by_its_inputs_gradient(case):
    net, x, y, loss, dx, wrong = case()
    report = check({"dx": dx}, net, x, y, loss=loss)
    assert report.ok
    assert verdicts(report)["dx"] == "match"
    report = check({"dx": wrong}, net, x, y, loss=loss)
    assert verdicts(report)["dx"] == "wrong"
    narrow = {"dx": dx.astype(np.float32)}
    assert check(narrow, net, x.astype(np.float32), y, loss=loss).ok


class Attention(nn.Module):
    def forward(self, q, k, v):
        return functional.softmax(q @ k.mT / 3**0.5, dim=-1) @ v


def test_attention_is_judged_by_the_gradients_of_its_three_inputs():
    Q, K, V, y = (draw(2, 5, 3) for _ in range(4))
    S = Q @ K.transpose(0, 2, 1) / np.sqrt(3)
    A = np.exp(S) / np.exp(S).sum(-1, keepdims=True)
    dO = 2 * (A @ V - y)
    dA = dO @ V.swapaxes(-1, -2)
    dS = A * (dA - np.sum(dA * A, axis=-1, keepdims=True)) / np.sqrt(3)
    run = {"Q": Q, "K": K, "V": V, "dQ": dS @ K, "dK": dS.swapaxes(1, 2) @ Q}
    run["dV"] = A.swapaxes(1, 2) @ dO
    report = check(run, Attention(), (Q, K, V), y)
    assert report.ok
    assert [verdicts(report)[n] for n in ("dQ", "dK", "dV")] == ["match"] * 3
    assert check({**run, "dK": dS @ Q}, Attention(), (Q, K, V), y).first == "dK"


def test_without_parameters_and_without_the_gradient_of_x_there_is_nothing_to_judge():
    with pytest.raises(InputError, match="looked for grad_x, dx"):
        check({"s": draw(3, 2)}, nn.Softmax(dim=1), draw(3, 2), draw(3, 2))
