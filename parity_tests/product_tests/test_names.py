"""Names that people use: of gradients, and of what is no quantity though it has a name of one."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from handgrad import InputError, check
from parity_tests.conftest import slow_but

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((8, 3)), RNG.standard_normal((8, 2))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(3, 4)
        self.h = nn.ReLU()
        self.out = nn.Linear(4, 2)

    def forward(self, x):
        return self.out(self.h(self.hidden(x)))


@pytest.fixture
def run():
    w1, b1, w2, b2 = (RNG.standard_normal(s) for s in ((3, 4), 4, (4, 2), 2))
    pre = X @ w1 + b1
    relu = pre * (pre > 0)
    out = relu @ w2 + b2
    loss = ((out - Y) ** 2).sum()
    d_out = 2 * (out - Y)
    d_relu = d_out @ w2.T
    d_pre = d_relu * (pre > 0)
    return {
        "w1": w1,
        "b1": b1,
        "w2": w2,
        "b2": b2,
        "loss": loss,
        "dw1": X.T @ d_pre,
        "db1": d_pre.sum(0),
        "dw2": relu.T @ d_out,
        "db2": d_out.sum(0),
    }


def verdicts(report):
    return {finding.name: finding.verdict for finding in report.findings}


FORMS = (
    *("g{}", "delta_{}", "{}_g", "dLd{}", "dL_d{}", "grad{}", "{}.grad", "dloss_d{}", "d_{}"),
    *("dJ_d{}", "dL/d{}", "gradient_{}", "g_{}", "nabla_{}", "{}_gradient"),
)


@pytest.mark.parametrize("form", FORMS)
def test_gradients_by_their_less_usual_names(run, form):
    assert verdicts(check(renamed(run, form), Net(), X, Y))[form.format("w1")] == "match"


@pytest.mark.parametrize("form", slow_but(FORMS, "g{}", "{}.grad"))
def test_a_wrong_gradient_by_its_less_usual_name(run, form):
    run["dw1"] = -run["dw1"]
    assert check(renamed(run, form), Net(), X, Y).first == form.format("w1")


def renamed(run, form):
    """Return quantities with the gradients of the parameters by names of some form."""
    names = {f"d{name}": form.format(name) for name in ("w1", "b1", "w2", "b2")}
    return {names.get(key, key): array for key, array in run.items()}


def test_gradients_with_a_capital(run):
    for name in ("w1", "b1", "w2", "b2"):
        run[f"grad{name.upper()}"] = run.pop(f"d{name}")
    assert verdicts(check(run, Net(), X, Y))["gradW1"] == "match"


def test_gradients_as_attributes_of_tensors(run):
    """`w.g`, as a course that starts from matrix multiplication has it; autograd never made it."""
    tensors = {name: torch.tensor(run[name]) for name in ("w1", "b1", "w2", "b2")}
    for name, tensor in tensors.items():
        tensor.__dict__["g"] = torch.tensor(run[f"d{name}"])
    assert verdicts(check(tensors, Net(), X, Y))["w1.g"] == "match"
    tensors["b2"].__dict__["g"] *= 2
    assert check(tensors, Net(), X, Y).first == "b2.g"


def test_what_autograd_left_is_no_derivation_by_hand(run):
    tensors = {n: torch.tensor(run[n], requires_grad=True) for n in ("w1", "b1", "w2", "b2")}
    for tensor in tensors.values():
        tensor.sum().backward()
    with pytest.raises(InputError, match="None of the names is the gradient"):
        check(tensors, Net(), X, Y)


def test_without_a_gradient_there_is_no_report_that_could_be_ok(run):
    run["unknown_of_w1"] = run["dw1"]
    for name in ("w1", "b1", "w2", "b2"):
        del run[f"d{name}"]
    with pytest.raises(
        InputError, match=r"looked for grad_w1, dw1, w1_grad, .* for b1, w2, b2"
    ) as e:
        check(run, Net(), X, Y)
    assert "\n" not in str(e.value)


OTHER_THINGS = {
    "a size": 4,
    "sizes": [4, 4],
    "a shape": (3, 4),
    "a step": 1e-5,
    "NumPy's own whole number": np.int64(4),
    "text": "relu",
    "texts": ["a", "b"],
    "a function": np.tanh,
    "a module": math,
    "a torch module": nn.Linear(3, 4),
    "a class": Net,
    "nothing": None,
    "tensors that require grad": [torch.ones(2, requires_grad=True), torch.ones(3)],
    "arrays in a list": [np.ones(2), np.ones((3, 4))],
    "yes": True,
}


@pytest.mark.parametrize("thing", OTHER_THINGS.values(), ids=OTHER_THINGS)
def test_what_has_a_submodules_name_but_is_no_quantity(run, thing):
    names = {"hidden": thing, "h": thing, "H": thing, "dh": thing, "out": thing, "parts": thing}
    report = check({**run, **names}, Net(), X, Y)
    assert report.ok
    found = verdicts(report)
    assert found["hidden"] == found["h"] == found["out"] == "missing"
    assert found["dw1"] == "match"


def test_a_gradient_that_was_summed_to_a_number_is_one_all_the_same(run):
    run["db1"] = run["db1"].sum()
    assert verdicts(check(run, Net(), X, Y))["db1"] == "wrong"


class Offset(nn.Module):
    """Its parameters have the names of data."""

    def __init__(self, name):
        super().__init__()
        self.register_parameter(name, nn.Parameter(torch.zeros(3)))
        self.name = name
        self.s = nn.Identity()

    def forward(self, x):
        return self.s(x * self.get_parameter(self.name))


@pytest.mark.parametrize("name", ["x", "y", "loss"])
def test_a_parameter_may_be_called_like_the_data(name):
    data, targets, own = RNG.normal(size=(5, 3)), RNG.normal(size=(5, 3)), RNG.normal(size=3)
    s = data * own
    ds = 2 * (s - targets)
    run = {name: own, "s": s, "ds": ds, f"d{name}": (ds * data).sum(0)}
    report = check(run, Offset(name), data, targets)
    assert report.ok
    found = {(f.name, f.kind): f.verdict for f in report.findings}
    assert found[name, "parameter"] == found[f"d{name}", "gradient"] == "match"
    wrong = check({**run, f"d{name}": ds.sum(0)}, Offset(name), data, targets)
    assert wrong.first == f"d{name}"


def test_the_gradient_of_the_inputs_goes_by_the_users_name_for_them():
    images, y, w = RNG.normal(size=(5, 3)), RNG.normal(size=(5, 2)), RNG.normal(size=(3, 2))
    dout = 2 * (images @ w - y)
    run = {"images": images, "w": w, "dw": images.T @ dout, "dimages": dout @ w.T}
    net = nn.Linear(3, 2, bias=False)
    assert verdicts(check(run, net, images, y))["dimages"] == "match"
    assert check({**run, "dimages": dout @ w.T * 2}, net, images, y).first == "dimages"


NORMS = {
    "BatchNorm1d": (nn.BatchNorm1d(3), (8, 3), (0,)),
    "BatchNorm2d": (nn.BatchNorm2d(3), (4, 3, 2, 2), (0, 2, 3)),
    "LayerNorm": (nn.LayerNorm(3), (8, 3), (1,)),
    "GroupNorm": (nn.GroupNorm(1, 3), (8, 3, 2), (1, 2)),
    "InstanceNorm1d": (nn.InstanceNorm1d(3, affine=True), (4, 3, 5), (2,)),
    "RMSNorm": (nn.RMSNorm(3, eps=1e-5), (8, 3), (1,)),
}


@pytest.mark.parametrize("kind", NORMS)
@pytest.mark.parametrize("inside", slow_but([False, True], False), ids=["alone", "inside"])
def test_gamma_and_beta_are_a_norms(kind, inside):
    norm, shape, axes = NORMS[kind]
    net = nn.Sequential(nn.Flatten(0, 0), norm) if inside else norm
    x, y = RNG.normal(size=shape), RNG.normal(size=shape)
    gamma, beta = RNG.normal(size=3), RNG.normal(size=3)
    by_feature = [
        3 if n == 3 and axis == (1 if len(shape) > 2 or 0 in axes else len(shape) - 1) else 1
        for axis, n in enumerate(shape)
    ]
    if kind in ("LayerNorm", "RMSNorm"):
        by_feature = [1, 3]
    mean = 0 if kind == "RMSNorm" else x.mean(axis=axes, keepdims=True)
    xhat = (x - mean) / np.sqrt(((x - mean) ** 2).mean(axis=axes, keepdims=True) + 1e-5)
    has_bias = kind != "RMSNorm"
    out = xhat * gamma.reshape(by_feature) + has_bias * beta.reshape(by_feature)
    dout = 2 * (out - y)
    rest = tuple(axis for axis, n in enumerate(by_feature) if n == 1)
    run = {"gamma": gamma, "dgamma": (dout * xhat).sum(axis=rest), "loss": ((out - y) ** 2).sum()}
    if has_bias:
        run |= {"beta": beta, "dbeta": dout.sum(axis=rest)}
    report = check(run, net, x, y)
    assert report.ok
    assert verdicts(report)["dgamma"] == "match"
    assert check({**run, "dgamma": (dout * x).sum(axis=rest)}, net, x, y).first == "dgamma"


def test_running_statistics_of_a_norm_are_the_users_own():
    """At test time batch norm takes the statistics that training left, here in float64."""
    x, y = RNG.normal(size=(8, 3)), RNG.normal(size=(8, 3))
    gamma, beta = RNG.normal(size=3), RNG.normal(size=3)
    running_mean, running_var = RNG.normal(size=3), RNG.random(3) + 0.5
    xhat = (x - running_mean) / np.sqrt(running_var + 1e-5)
    dout = 2 * (gamma * xhat + beta - y)
    run = {"gamma": gamma, "beta": beta, "running_mean": running_mean, "running_var": running_var}
    run |= {"dgamma": (dout * xhat).sum(0), "dbeta": dout.sum(0)}
    net = nn.BatchNorm1d(3).eval()
    report = check(run, net, x, y)
    assert report.ok
    assert any("running_mean, running_var" in note for note in report.notes)
    assert torch.equal(net.get_buffer("running_mean"), torch.zeros(3))
    assert check({**run, "dgamma": (dout * x).sum(0)}, net, x, y).first == "dgamma"
    # in training they are not used, whatever they are called
    x_hat = (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5)
    dout = 2 * (gamma * x_hat + beta - y)
    run |= {"dgamma": (dout * x_hat).sum(0), "dbeta": dout.sum(0)}
    assert check(run, net.train(), x, y).ok
