"""Right derivations that the first edition called wrong, and their time: kinds, not numbers."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import handgrad.compare.judge as judge_module
import handgrad.compare.narrow as narrow_module
import handgrad.compare.steps as steps_module
import handgrad.compare.tolerance as tolerance_module
import handgrad.run.perturb as perturb_module
from handgrad import check
from handgrad.compare.judge import judge
from handgrad.network import Network, Reference
from handgrad.pipeline import check as check_network
from handgrad.run.precision import FLOAT64
from parity_tests.meta_tests.seen import SUM, Named, failing, verdicts


def through(function, slope_times, scale, seed, n=6, d_in=3, h=4, y=0.0, dtype="float64"):
    """Derive `out = function(x w)` by hand; `slope_times(h, out, dout)` is dh."""
    draw = np.random.default_rng(seed).standard_normal
    x, w = (scale * draw((n, d_in))).astype(dtype), draw((d_in, h)).astype(dtype)
    hidden = x @ w
    out = function(hidden)
    y = np.full_like(out, y)
    dout = 2 * (out - y)
    dh = slope_times(hidden, out, dout)
    return {"w": w, "h": hidden, "out": out, "dout": dout, "dh": dh, "dw": x.T @ dh}, x, y


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("scale", [1, 10, 30])
def test_softplus_without_its_cut_off(scale, seed):
    run, x, y = through(
        lambda h: np.logaddexp(0, h), lambda h, out, dout: dout / (1 + np.exp(-h)), scale, seed
    )
    assert check(run, Named(3, 4, nn.Softplus()), x, y).ok
    dh = run["dh"] * (1 + 1e-7)
    off = {**run, "dh": dh, "dw": x.T @ dh}
    assert failing(check(off, Named(3, 4, nn.Softplus()), x, y)) == {"dh"}


def logsumexp(z):
    top = z.max(axis=1, keepdims=True)
    return top + np.log(np.exp(z - top).sum(axis=1, keepdims=True))


@pytest.mark.parametrize("seeds", [range(10), pytest.param(range(10, 100), marks=pytest.mark.slow)])
def test_a_softmax_by_logsumexp_of_large_logits(seeds):
    for seed in seeds:
        run, x, y = through(
            lambda h: np.exp(h - logsumexp(h)),
            lambda h, p, dp: p * (dp - (dp * p).sum(axis=1, keepdims=True)),
            350,
            seed,
        )
        assert np.abs(run["h"]).max() > 300
        assert check(run, Named(3, 4, nn.Softmax(dim=1)), x, y).ok, seed


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_rms_norm_and_softplus_at_any_scale(scale, dtype):
    gamma = (scale * np.array([3.0, -2.0, 30.0, 1.0])).astype(dtype)

    def rms(h):
        return np.sqrt(np.square(h).mean(axis=1, keepdims=True) + h.dtype.type(1e-6))

    def derived(h, norm_out, dout):
        z = h / rms(h)
        dz = dout / (1 + np.exp(-np.maximum(gamma * z, -80))) * gamma
        return (dz - z * (dz * z).mean(axis=1, keepdims=True)) / rms(h)

    class Layer(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm = nn.RMSNorm(4, eps=1e-6)

        def forward(self, h):
            return nn.functional.softplus(self.norm(h))

    for seed in range(5):
        with np.errstate(over="ignore"):
            run, x, y = through(
                lambda h: np.logaddexp(h.dtype.type(0), gamma * h / rms(h)),
                derived,
                scale,
                seed,
                dtype=dtype,
            )
        net, names = Named(3, 4, Layer()), {"gamma": "out.norm.weight", "w": "h.weight.T"}
        assert check({**run, "gamma": gamma}, net, x, y, names=names).ok


def share(h, dout, how):
    """Give the gradient of each row's largest entry to one of the tied, to all, or in parts."""
    tied = h == h.max(axis=-1, keepdims=True)
    if how == "first":
        tied = tied & (tied.cumsum(axis=-1) == 1)
    elif how == "last":
        tied = tied & (tied[..., ::-1].cumsum(axis=-1)[..., ::-1] == 1)
    parts = tied / (1 if how == "each the whole" else tied.sum(axis=-1, keepdims=True))
    return parts * dout[..., None]


class Largest(nn.Module):
    def forward(self, h):
        return h.max(dim=1).values


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("ties", [2, 4])
def test_any_choice_among_tied_maxima(ties, seed):
    """All of it to one, or shared; but not all of it to each."""
    rng = np.random.default_rng(seed)
    w, x = np.rint(rng.standard_normal((3, 5))), np.rint(rng.standard_normal((20, 3)))
    w[:, 1:ties] = w[:, :1]
    h = x @ w
    assert (h[:, 0] == h.max(axis=1)).any()
    out = h.max(axis=1)
    dout = 2 * (out - 1)
    for how in ("first", "last", "shared", "each the whole"):
        dh = share(h, dout, how)
        run = {"w": w, "h": h, "out": out, "dout": dout, "dh": dh, "dw": x.T @ dh}
        report = check(run, Named(3, 5, Largest()), x, np.ones(20))
        assert report.ok == (how != "each the whole"), how
        assert failing(report) <= {"dh"}


class Pooled(nn.Module):
    """A ReLU, whose zeros fill whole windows of the max pooling after it."""

    def __init__(self, size):
        super().__init__()
        self.h = nn.Linear(2, 4 * size, bias=False)
        self.a = nn.ReLU()
        self.p = nn.MaxPool1d(4)

    def forward(self, x):
        return self.p(self.a(self.h(x)))


@pytest.mark.parametrize("how", ["first", "last", "shared"])
@pytest.mark.parametrize("size", [1, 3])
def test_max_pooling_of_windows_full_of_zeros(size, how):
    rng = np.random.default_rng(size)
    x, w, y = (rng.standard_normal(s) for s in ((8, 2), (2, 4 * size), (8, size)))
    w[:, :4] = -np.abs(w[:, :4])
    x[::2] = np.abs(x[::2])
    h = x @ w
    a = np.maximum(h, 0)
    windows = a.reshape(8, size, 4)
    p = windows.max(axis=2)
    dp = 2 * (p - y)
    assert (p == 0).any()
    da = share(windows, dp, how).reshape(a.shape)
    dh = da * (h > 0)
    run = {"w": w, "h": h, "a": a, "p": p, "dp": dp, "da": da, "dh": dh, "dw": x.T @ dh}
    assert check(run, Pooled(size), x, y).ok
    if size > 1:
        assert failing(check({**run, "da": 2 * da}, Pooled(size), x, y)) == {"da"}


class Recurrent(nn.Module):
    def __init__(self, d, h, steps, is_linear):
        super().__init__()
        self.w, self.u = nn.Parameter(torch.empty(d, h)), nn.Parameter(torch.empty(h, h))
        self.h = nn.Identity() if is_linear else nn.Tanh()
        self.steps = steps

    def forward(self, x):
        h = self.h(x @ self.w)
        for _ in range(self.steps - 1):
            h = self.h(h @ self.u)
        return h


def recurrent(steps, is_linear, growth, seed=0, wrong=()):
    """Return a recurrent network with a name for each step; those in `wrong` have a wrong line."""
    names = ["h", *(f"h_{t}" for t in range(2, steps + 1))]

    def forward(params, x, y):
        values, h = {}, x @ params["w"]
        for name in names:
            h = h if name == "h" else np.einsum("ij,jk->ik", h, params["u"])
            h = values[name] = h if is_linear else np.tanh(h)
        return {**values, "loss": np.square(h - y).sum()}

    def backward(params, x, y, values):
        grad, grads = 2 * (values[names[-1]] - y), {"grad_u": np.zeros_like(params["u"])}
        for t in reversed(range(steps)):
            grads[f"grad_{names[t]}"] = grad = -grad if names[t] in wrong else grad
            da = grad if is_linear else grad * (1 - values[names[t]] ** 2)
            if t:
                grads["grad_u"] += values[names[t - 1]].T @ da
                grad = da @ params["u"].T
        return {**grads, "grad_w": x.T @ da}

    draw = np.random.default_rng(seed).standard_normal
    params = {"w": draw((3, 5)), "u": growth * draw((5, 5)) / np.sqrt(5)}
    reference = Reference(Recurrent(3, 5, steps, is_linear), {"w": "w", "u": "u"}, SUM)
    return Network("recurrent", params, draw((4, 3)), draw((4, 5)), reference, forward, backward)


SEEDS = [range(3), pytest.param(range(3, 20), marks=pytest.mark.slow)]


@pytest.mark.parametrize("seeds", SEEDS)
@pytest.mark.parametrize("is_linear", [True, False])
def test_an_exploding_recurrent_network_is_never_wrong(is_linear, seeds):
    for seed in seeds:
        network = recurrent(40, is_linear, 6.0, seed)
        without_names = replace(network.reference, values={})  # all steps in one
        report = check_network(replace(network, reference=without_names))
        assert failing(report) == set()
        if "inconclusive" in verdicts(report).values():
            assert report.verdict == "error"
            error = report.error or ""
            assert "rounding alone could make any number" in error
            assert "\n" not in error
        assert not is_linear or report.ok  # a linear one multiplies, and loses no digit


def passes_of(monkeypatch, steps, wrong):
    """Count the passes of the reference that judging takes."""
    count = []
    modules = (steps_module, judge_module, tolerance_module, perturb_module, narrow_module)
    right = steps_module.run_reference

    def counted(*given, **how):
        count.append(1)
        return right(*given, **how)

    for module in modules:
        monkeypatch.setattr(module, "run_reference", counted)
    network = recurrent(steps, False, 0.8, wrong=wrong)
    values = network.forward(network.params, network.x, network.y)
    grads = network.backward(network.params, network.x, network.y, values)
    found, _ = judge(network, {**network.params, **values, **grads}, FLOAT64)
    monkeypatch.undo()
    assert {f.name for f in found if f.verdict == "wrong"} == {f"grad_{name}" for name in wrong}
    return len(count)


@pytest.mark.parametrize("wrong", [("h_3",), ("h_3", "h_7"), ("h_2", "h_4", "h_7")])
def test_the_number_of_passes_does_not_grow_with_time_steps(wrong, monkeypatch):
    counts = [passes_of(monkeypatch, steps, wrong) for steps in (8, 16, 32)]
    assert max(counts) <= counts[0] + 2
    assert max(counts) < 60
