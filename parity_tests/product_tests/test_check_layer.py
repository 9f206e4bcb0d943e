"""`check_layer`: out, cache = forward(...), dinputs = backward(dout, cache), in all its forms."""

import numpy as np
import pytest
import torch

import handgrad
from handgrad import InputError

RNG = np.random.default_rng(0)
X, W, B = RNG.standard_normal((4, 3)), RNG.standard_normal((3, 2)), RNG.standard_normal(2)


def affine_forward(x, w, b):
    out = x @ w + b
    return out, (x, w, b)


def affine_backward(dout, cache):
    x, w, _ = cache
    dx = dout @ w.T
    dw = x.T @ dout
    db = dout.sum(axis=0)
    return dx, dw, db


def gradients_of(report):
    return {f.name: f.verdict for f in report.findings if f.kind == "gradient"}


def test_a_right_layer_is_right():
    report = handgrad.check_layer(affine_forward, affine_backward, X, W, B)
    assert report.ok
    assert (report.reference, report.variant) == ("forward", "affine_forward")
    assert gradients_of(report) == {"dx": "match", "dw": "match", "db": "match"}


def test_a_wrong_gradient_is_named_with_its_line():
    def backward(dout, cache):
        dx, dw, _ = affine_backward(dout, cache)
        db = dout.mean(axis=0)
        return dx, dw, db

    report = handgrad.check_layer(affine_forward, backward, X, W, B)
    (wrong,) = [f for f in report.findings if f.verdict == "wrong"]
    assert wrong.name == report.first == "db"
    assert wrong.cause is not None
    assert wrong.cause.kind == "mean-sum"
    assert wrong.line is not None
    assert wrong.line.code == "db = dout.mean(axis=0)"


def test_names_on_the_way_are_judged_one_by_one():
    def forward(x, w):
        h = x @ w
        a = np.tanh(h)
        return a, (x, w, a)

    def backward(dout, cache):
        x, w, a = cache
        dh = dout * (1 - a)
        dx = dh @ w.T
        dw = x.T @ dh
        return dx, dw

    report = handgrad.check_layer(forward, backward, X, W)
    assert gradients_of(report) == {"dh": "wrong", "dx": "inherited", "dw": "inherited"}


def test_a_dict_by_name_and_what_is_left_out():
    def backward(dout, cache):
        x, w, _ = cache
        return {"w": x.T @ dout, "dx": dout @ w.T}

    report = handgrad.check_layer(affine_forward, backward, X, W, B)
    assert report.ok
    assert set(gradients_of(report).values()) == {"match", "missing"}


def test_none_stands_for_what_is_left_out():
    def backward(dout, cache):
        return None, cache[0].T @ dout, None

    found = gradients_of(handgrad.check_layer(affine_forward, backward, X, W, B))
    assert found == {"dw": "match", "grad_x": "missing", "grad_b": "missing"}


def test_no_cache_and_no_names():
    def backward(upstream, one, two, _three):
        return upstream @ two.T, one.T @ upstream, upstream.sum(axis=0)

    assert handgrad.check_layer(lambda x, w, b: x @ w + b, backward, X, W, B).ok
    wrong = handgrad.check_layer(
        lambda x, w, b: x @ w + b, lambda d, x, w, b: (d @ w.T, x.T @ d, b), X, W, B
    )
    assert [f.name for f in wrong.findings if f.verdict == "wrong"] == ["db"]


def test_several_outputs():
    def forward(x, w):
        h = np.tanh(x @ w)
        c = h**2
        return h, c, (x, w, h)

    def backward(dh, dc, cache):
        x, w, h = cache
        dz = (dh + 2 * h * dc) * (1 - h**2)
        return dz @ w.T, x.T @ dz

    assert handgrad.check_layer(forward, backward, X, W).ok

    def forward_in_two(x, w):
        h, c, cache = forward(x, w)
        return (h, c), cache

    def backward_in_two(douts, cache):
        dh, dc = douts
        return backward(dh, dc, cache)

    assert handgrad.check_layer(forward_in_two, backward_in_two, X, W).ok


def test_whole_numbers_and_settings_pass_through():
    def forward(x, index, w, param=None, scale=1):
        return scale * w[index] * param["by"], (index, w.shape, param, scale)

    def backward(dout, cache):
        index, shape, param, scale = cache
        dw = np.zeros(shape)
        np.add.at(dw, index, dout * param["by"] * scale)
        return dw

    index = np.array([[0, 1], [1, 2]])
    report = handgrad.check_layer(forward, backward, None, index, W, {"by": 3.0}, 2)
    assert report.ok
    assert gradients_of(report) == {"dw": "match"}


def test_state_is_put_back():
    def forward(x, gamma, param):
        np.random.seed(param["seed"])  # noqa: NPY002 (as people do)
        mean = x.mean(axis=0)
        param["running_mean"] = 0.9 * param["running_mean"] + 0.1 * mean
        param["calls"] += 1
        mask = np.random.rand(*x.shape) < 0.5  # noqa: NPY002
        x *= 1.0
        return gamma * (x - mean) * mask, (x - mean, gamma, mask)

    def backward(dout, cache):
        centred, gamma, mask = cache
        dout *= mask
        dcentred = dout * gamma
        return dcentred - dcentred.mean(axis=0), (dout * centred).sum(axis=0)

    mean = np.zeros(3)
    param = {"seed": 1, "running_mean": mean, "calls": 0}
    x, before = X.copy(), np.random.get_state(legacy=False)["state"]["key"].copy()  # noqa: NPY002
    assert handgrad.check_layer(forward, backward, x, np.ones(3), param).ok
    assert param == {"seed": 1, "running_mean": mean, "calls": 0}
    assert not mean.any()
    assert np.array_equal(x, X)
    assert np.array_equal(np.random.get_state(legacy=False)["state"]["key"], before)  # noqa: NPY002


def test_a_gradient_that_is_the_upstream_one():
    def backward(dout, cache):
        return dout, dout

    report = handgrad.check_layer(lambda x, y: (x + y, None), backward, X, X + 1)
    assert report.ok
    assert "missing" not in gradients_of(report).values()


def test_in_place_work_on_the_upstream_gradient():
    def forward(x):
        return np.maximum(x, 0), x

    def backward(dout, cache):
        dout[cache < 0] = 0
        dx = dout
        return dx

    assert handgrad.check_layer(forward, backward, X).ok


def test_methods_of_an_object():
    class Dense:
        def __init__(self):
            self.params = {"W": W.copy()}
            self.grads = {}

        def forward(self, x):
            self.x = x
            return x @ self.params["W"]

        def backward(self, dout):
            self.grads["W"] = self.x.T @ dout
            return dout @ self.params["W"].T

    layer = Dense()
    report = handgrad.check_layer(layer.forward, layer.backward, X)
    assert report.ok
    assert len(gradients_of(report)) == 2
    assert "missing" not in gradients_of(report).values()
    assert layer.grads == {}
    assert not hasattr(layer, "x")


def test_another_order_is_told_by_its_names():
    def backward(dout, cache):
        dx, dw, db = affine_backward(dout, cache)
        return dw, db, dx

    report = handgrad.check_layer(affine_forward, backward, X, W, B)
    assert report.ok
    assert any("another order" in note for note in report.notes)


def test_functions_of_pytorch():
    def forward(x, w):
        h = x @ w
        return torch.tanh(h), (x, w, h)

    def backward(dout, cache):
        x, w, h = cache
        dh = dout * (1 - torch.tanh(h) ** 2)
        return dh @ w.T, x.T @ dh

    x, w = torch.tensor(X, dtype=torch.float32, requires_grad=True), torch.tensor(W)
    assert handgrad.check_layer(forward, backward, x.double(), w).ok
    assert handgrad.check_layer(forward, backward, x, w.float()).ok
    wrong = handgrad.check_layer(forward, lambda d, c: (d @ w.T, backward(d, c)[1]), x.double(), w)
    assert [f.name for f in wrong.findings if f.verdict == "wrong"] == ["dx"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((affine_forward, affine_backward, X, W), "takes x, w, b, and 2 inputs are given"),
        ((lambda x: (x, None), lambda d, c: d, np.arange(3)), "no input is a float array"),
        ((lambda x: x, lambda a, b, c, d: a, X), "takes a, b, c, d, and forward returns one thing"),
        ((lambda x: (x.shape, x), lambda d, c: d, X), "must be a float array"),
    ],
)
def test_what_does_not_fit_is_said_in_a_sentence(arguments, words):
    with pytest.raises(InputError, match=words):
        handgrad.check_layer(*arguments)
