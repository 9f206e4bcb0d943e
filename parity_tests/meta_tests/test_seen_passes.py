"""Mistakes that passed in the first edition: each kind is found, whatever the seed and the size."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from handgrad import check
from handgrad.load import gallery
from handgrad.network import Network, Reference
from handgrad.pipeline import check as check_network
from parity_tests.meta_tests.seen import SUM, failing


def tolerance_of(report, name):
    return next(f.tolerance for f in report.findings if f.name == name)


class Attention(nn.Module):
    """Weights of attention, of scores that are masked by -inf."""

    def __init__(self, d):
        super().__init__()
        self.q = nn.Linear(d, d, bias=False)
        self.scores = nn.Identity()
        self.masked = nn.Identity()
        self.p = nn.Softmax(dim=1)

    def forward(self, x):
        scores = self.scores(self.q(x) @ x.T)
        later = torch.ones(scores.shape, dtype=torch.bool).triu(1)
        return self.p(self.masked(scores.masked_fill(later, -torch.inf)))


def attention(t, dtype, seed=0):
    rng = np.random.default_rng(seed)
    x, w, y = (rng.standard_normal(s).astype(dtype) for s in ((t, 4), (4, 4), (t, t)))
    q = x @ w
    scores = q @ x.T
    later = np.triu(np.ones((t, t), bool), 1)
    masked = np.where(later, -np.inf, scores).astype(dtype)
    p = np.exp(masked - masked.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    dp = 2 * (p - y)
    dmasked = p * (dp - (dp * p).sum(1, keepdims=True))
    dscores = np.where(later, 0, dmasked).astype(dtype)
    dq = dscores @ x
    run = {"w": w, "q": q, "scores": scores, "masked": masked, "p": p, "dp": dp}
    return {**run, "dmasked": dmasked, "dscores": dscores, "dq": dq, "dw": x.T @ dq}, x, y


@pytest.mark.parametrize(("t", "dtype", "seed"), [(3, "float64", 0), (17, "float32", 1)])
def test_after_a_mask_of_inf_gradients_that_are_nan_are_wrong(t, dtype, seed):
    run, x, y = attention(t, dtype, seed)
    assert check(run, Attention(4), x, y).ok
    grads = ("dmasked", "dscores", "dq", "dw")
    # 0 * inf, and all that is computed from it
    lost = {**run, **{name: np.full_like(run[name], np.nan) for name in grads}}
    report = check(lost, Attention(4), x, y)
    assert report.first == "dmasked"
    assert {f.verdict for f in report.findings if f.name in grads} <= {"wrong", "inherited"}
    for name in grads:
        one = run[name].copy()
        one[-1, 0] = np.nan
        assert failing(check({**run, name: one}, Attention(4), x, y)) >= {name}


def linear(shape, d_out, dtype="float32", seed=0):
    """Return a right derivation of one linear layer, in live variables."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape).astype(dtype)
    w = (rng.standard_normal((shape[-1], d_out)) / np.sqrt(shape[-1])).astype(dtype)
    b, y = rng.standard_normal(d_out).astype(dtype), np.zeros((*shape[:-1], d_out), dtype)
    h = x @ w + b
    dh = 2 * (h - y)
    dw = x.reshape(-1, shape[-1]).T @ dh.reshape(-1, d_out)
    run = {"w": w, "b": b, "h": h, "dh": dh, "dw": dw, "db": dh.reshape(-1, d_out).sum(0)}
    return run, x, y


class One(nn.Module):
    def __init__(self, d_in, d_out):
        super().__init__()
        self.h = nn.Linear(d_in, d_out)

    def forward(self, x):
        return self.h(x)


@pytest.mark.parametrize(("shape", "d_out"), [((1, 96, 32), 48), ((2000, 3), 2)])
def test_a_gradient_some_per_cent_off_in_a_wide_layer_of_float32(shape, d_out):
    run, x, y = linear(shape, d_out)
    net = One(shape[-1], d_out)
    assert check(run, net, x, y).ok
    for name, factor in (("dw", 1.04), ("dw", 0.99), ("dh", 1.0001), ("db", 1.01)):
        off = {**run, name: (run[name] * np.float32(factor))}
        assert failing(check(off, net, x, y)) == {name}


@pytest.mark.slow
def test_gradients_one_per_cent_off_in_a_layer_of_768_by_768_of_float32():
    """All in one check, which takes seconds: each step is judged given its own inputs."""
    run, x, y = linear((1, 1024, 768), 768)
    net = One(768, 768)
    assert check(run, net, x, y).ok
    factors = {"dw": 0.99, "dh": 1.0001, "db": 1.01}
    off = {name: run[name] * np.float32(factor) for name, factor in factors.items()}
    assert failing(check({**run, **off}, net, x, y)) == set(factors)


class Wide(nn.Module):
    """A linear layer, an activation entry by entry, and a sum that is as long as is asked for."""

    def __init__(self, d_in, h, d_out):
        super().__init__()
        self.h = nn.Linear(d_in, h, bias=False)
        self.a = nn.Tanh()
        self.out = nn.Linear(h, d_out, bias=False)

    def forward(self, x):
        return self.out(self.a(self.h(x)))


def wide(n, d_in=3, seed=0, dtype="float32"):
    """Return a right derivation of Wide; its values are the same whatever `d_in` is."""
    draw = np.random.default_rng(seed).standard_normal
    h, w2, y = (draw(size).astype(dtype) for size in ((n, 3), (3, 2), (n, 2)))
    x, w1 = np.zeros((n, d_in), dtype), np.ones((d_in, 3), dtype)
    x[:, :3], w1[:3] = h, np.eye(3)
    a = np.tanh(h)
    out = a @ w2
    dout = 2 * (out - y)
    da = dout @ w2.T
    dh = da * (1 - a**2)
    run = {"w1": w1, "w2": w2, "h": h, "a": a, "out": out, "dout": dout, "dw2": a.T @ dout}
    return {**run, "da": da, "dh": dh, "dw1": x.T @ dh}, x, y


MANY = pytest.param(100_000, marks=pytest.mark.slow)


@pytest.mark.parametrize("n", [100, 3000, MANY])
def test_one_entry_of_a_step_that_adds_up_little(n):
    """Live variables in float32: no row is hidden by how many others there are."""
    run, x, y = wide(n)
    assert check(run, Wide(3, 3, 2), x, y).ok
    for name in ("a", "dout", "da", "dh"):
        off, size = run[name].copy(), np.abs(run[name])
        typical = np.unravel_index(np.abs(size - size.std()).argmin(), off.shape)
        off[typical] *= np.float32(1 + 1e-4)
        assert failing(check({**run, name: off}, Wide(3, 3, 2), x, y)) == {name}


def test_a_steps_tolerance_does_not_depend_on_other_arrays():
    found = []
    for d_in in (3, 3000):
        run, x, y = wide(50, d_in)
        report = check(run, Wide(d_in, 3, 2), x, y)
        found.append([tolerance_of(report, name) for name in ("a", "out", "dout", "da", "dh")])
    assert found[0] == found[1]


def rows(n, dtype="float32", name="three_layer_relu_bias", seed=0):
    """Return a network of the gallery: code that can be run again."""
    return gallery.load(name, dtype, seed=seed, sizes={"n": n})


def with_mistake(network, change):
    """Return a Network with something done to its right gradients."""

    def backward(params, x, y, values):
        grads = network.backward(params, x, y, values)
        return {**grads, **change(grads, {"x": x, **values})}

    return replace(network, backward=backward, path=None, is_complete=False)


def negated_row(grads, values):
    off = grads["grad_h1"].copy()
    off[len(off) // 2] *= -1
    return {"grad_h1": off}


def doubled_entry(grads, values):
    off = grads["grad_h2_relu"].copy()
    off[len(off) // 3, 1] *= 2
    return {"grad_h2_relu": off}


def without_last_rows(grads, values):
    n = len(values["x"]) * 99 // 100
    return {"grad_w1": values["x"][:n].T @ grads["grad_h1"][:n]}


def over_n_less_1(grads, values):
    n = len(values["x"])
    return {"grad_b1": grads["grad_b1"] * n / (n - 1)}


MISTAKES = {
    "grad_h1": negated_row,
    "grad_h2_relu": doubled_entry,
    "grad_w1": without_last_rows,
    "grad_b1": over_n_less_1,
}


@pytest.mark.parametrize("n", [150, 2000])
@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_in_few_of_many_rows_of_float32(name, n):
    report = check_network(with_mistake(rows(n, seed=n), MISTAKES[name]))
    assert failing(report) == {name}


@pytest.mark.slow
def test_mistakes_in_few_of_50_000_rows_of_float32():
    """All in one check, which takes seconds."""

    def all_of_them(grads, values):
        changes = (mistake(grads, values) for mistake in MISTAKES.values())
        return {name: off for change in changes for name, off in change.items()}

    report = check_network(with_mistake(rows(50_000, seed=50_000), all_of_them))
    assert failing(report) == set(MISTAKES)


@pytest.mark.parametrize("n", [100, pytest.param(3_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_relative_error_of_1e_8_in_any_one_entry(dtype, n):
    """Of an entry of at least a tenth of the typical size, of gradients of each kind."""
    network = rows(n, dtype, "two_layer_relu")
    for name in ("grad_y_pred", "grad_h_relu", "grad_h", "grad_w2", "grad_w1"):

        def one_entry(grads, values, name=name):
            rng = np.random.default_rng(n)  # the same entry each time that it is run
            off = grads[name].copy()
            size = np.abs(off)
            large = np.argwhere(size >= 0.1 * np.sqrt(np.mean(size**2)))
            off[tuple(large[rng.integers(len(large))])] *= 1 + 1e-8
            return {name: off}

        assert failing(check_network(with_mistake(network, one_entry))) == {name}


class Norm(nn.Module):
    def __init__(self, norm):
        super().__init__()
        self.out = norm

    def forward(self, x):
        return self.out(x)


def norm_network(axis, n, forward_eps, backward_eps):
    """Return a batch norm (axis 0) or a layer norm (axis 1) of float32 with the eps it has."""

    def standard(x, eps):
        spread = np.sqrt(x.var(axis=axis, keepdims=True) + x.dtype.type(eps))
        return (x - x.mean(axis=axis, keepdims=True)) / spread, spread

    def forward(params, x, y):
        out = params["w"] * standard(x, forward_eps)[0] + params["b"]
        return {"out": out, "loss": np.square(out - y).sum()}

    def backward(params, x, y, values):
        dout = 2 * (values["out"] - y)
        z, spread = standard(x, backward_eps)
        dz = dout * params["w"]
        means = dz.mean(axis=axis, keepdims=True) + z * (dz * z).mean(axis=axis, keepdims=True)
        grads = {"grad_out": dout, "grad_w": (dout * z).sum(axis=0), "grad_b": dout.sum(axis=0)}
        return {**grads, "grad_x": (dz - means) / spread}

    draw = np.random.default_rng(n).standard_normal
    x, y, w, b = (draw(size).astype(np.float32) for size in ((n, 6), (n, 6), 6, 6))
    model = Norm(nn.LayerNorm(6) if axis else nn.BatchNorm1d(6))
    parameters = {"w": "out.weight", "b": "out.bias"}
    reference = Reference(model, parameters, SUM, with_inputs=True)
    return Network("norm", {"w": w, "b": b}, x, y, reference, forward, backward)


@pytest.mark.parametrize("n", [32, 1000])
@pytest.mark.parametrize("axis", [0, 1])
def test_a_norm_without_its_epsilon(axis, n):
    assert check_network(norm_network(axis, n, 1e-5, 1e-5)).ok
    assert failing(check_network(norm_network(axis, n, 0, 0))) >= {"out"}
    assert failing(check_network(norm_network(axis, n, 1e-5, 0))) == {"grad_w", "grad_x"}


def test_values_beyond_the_range_of_float32_excuse_no_nan():
    """The loss is beyond what float32 has, the gradients are not."""
    for scale in (1e18, 1e19, 3e19):
        run, x, y = linear((6, 3), 2)
        x, run["h"] = x * np.float32(scale), None
        run["h"] = x @ run["w"] + run["b"]
        run["dh"] = 2 * (run["h"] - y)
        run["db"] = run["dh"].sum(0)
        with np.errstate(over="ignore"):
            run["dw"] = x.T @ run["dh"]
        assert check(run, One(3, 2), x, y).ok
        for name in ("dh", "db", *["dw"] * (scale == 1e18)):
            lost = {**run, name: np.full_like(run[name], np.nan)}
            assert failing(check(lost, One(3, 2), x, y)) >= {name}, (scale, name)
