import numpy as np
import pytest
import torch
from torch import nn

import handgrad
from handgrad import InputError, MismatchError, check
from handgrad.load import gallery


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.h = nn.Linear(5, 4)
        self.a = nn.Tanh()
        self.y_pred = nn.Linear(4, 2)

    def forward(self, x):
        return self.y_pred(self.a(self.h(x)))


@pytest.fixture
def run():
    """Give the variables of a right derivation, as a notebook has them."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((16, 5)), rng.standard_normal((16, 2))
    W1, b1 = rng.standard_normal((5, 4)), rng.standard_normal(4)  # noqa: N806
    W2, b2 = rng.standard_normal((4, 2)), rng.standard_normal(2)  # noqa: N806
    h = x @ W1 + b1
    a = np.tanh(h)
    y_pred = a @ W2 + b2
    loss = np.square(y_pred - y).sum()
    dy_pred = 2 * (y_pred - y)
    dW2, db2 = a.T @ dy_pred, dy_pred.sum(axis=0)  # noqa: N806
    da = dy_pred @ W2.T
    dh = da * (1 - a**2)
    dW1, db1 = x.T @ dh, dh.sum(axis=0)  # noqa: N806
    dx = dh @ W1.T
    del rng
    return dict(locals())


def test_globals_of_a_right_derivation_are_all_right(run):
    report = check({**run, "np": np, "unrelated": "text", "mask": run["h"] > 0}, Net(), **data(run))
    assert report.ok
    assert report.first is None
    assert {f.verdict for f in report.findings} == {"match"}
    names = [f.name for f in report.findings]
    assert names[:8] == ["W1", "b1", "W2", "b2", "h", "a", "y_pred", "loss"]
    assert set(names[8:]) == {"dy_pred", "dW2", "db2", "da", "dh", "dW1", "db1", "dx"}
    report.raise_for_mismatch()


def data(run):
    return {"x": run["x"], "y": run["y"]}


def test_a_wrong_step_is_named_in_the_users_own_words(run):
    run["dh"] = run["da"]
    report = check(run, Net(), **data(run))
    assert report.first == "dh"
    (cause,) = (f.cause for f in report.findings if f.cause)
    assert cause.kind == "missing-derivative"
    assert "`dh` equals `da`: the derivative of the Tanh is missing" in cause.message
    with pytest.raises(MismatchError, match=r"dh .*wrong"):
        report.raise_for_mismatch()
    assert "missing-derivative" in str(report)
    assert report.to_dict()["first"] == "dh"


def test_in_jupyter_the_conclusion_and_the_causes_stand_above_a_folded_table(run):
    run["dh"] = run["da"]
    above, table = check(run, Net(), **data(run))._repr_html_().split("<details>")
    assert above.startswith("<p><strong>Wrong: dh.")
    assert "<code>dh</code><br>missing-derivative: `dh` equals `da`" in above
    assert "<td>dh</td>" in table


def test_what_the_user_paired_is_not_said_again(run):
    names = {"W1": "h.weight.T", "b1": "h.bias", "W2": "y_pred.weight.T", "b2": "y_pred.bias"}
    assert "Paired" in str(check(run, Net(), **data(run)))
    assert "Paired" not in str(check(run, Net(), **data(run), names=names))


@pytest.mark.parametrize("form", ["grad_{}", "d{}", "{}_grad", "d_{}"])
def test_gradients_go_by_all_their_usual_names(run, form):
    for name in ("W1", "b1", "W2", "b2", "h", "a", "y_pred"):
        run[form.format(name)] = run.pop(f"d{name}")
    report = check(run, Net(), **data(run))
    assert report.ok
    assert form.format("W1") in [f.name for f in report.findings]


def test_tensors_and_numbers_will_do(run):
    run = {n: torch.tensor(v) if isinstance(v, np.ndarray) else v for n, v in run.items()}
    run["loss"] = float(run["loss"])
    assert check(run, Net(), run["x"], run["y"]).ok


def test_what_is_not_given_is_computed_from_what_is(run):
    for name in ("h", "da", "dy_pred", "loss"):
        del run[name]
    run["dW2"] = -run["dW2"]
    report = check(run, Net(), **data(run))
    verdicts = {f.name: f.verdict for f in report.findings}
    assert verdicts["h"] == verdicts["grad_a"] == verdicts["loss"] == "missing"
    assert [name for name, verdict in verdicts.items() if verdict == "wrong"] == ["dW2"]


def test_float32_is_judged_by_float32s_rounding(run):
    run = {n: v.astype(np.float32) if hasattr(v, "astype") else v for n, v in run.items()}
    report = check(run, Net(), **data(run))
    assert report.ok
    assert report.dtype == "float32"


def test_a_reference_in_half_precision_is_computed_in_that_of_the_arrays(run):
    assert check(run, Net().half(), **data(run)).ok


def test_the_users_module_stays_as_it_is(run):
    net = Net()
    before = {name: p.detach().clone() for name, p in net.named_parameters()}
    arrays = {name: np.array(value) for name, value in run.items()}
    check(run, net, **data(run))
    assert all(torch.equal(p, before[name]) for name, p in net.named_parameters())
    assert all(p.grad is None and p.dtype is torch.float32 for p in net.parameters())
    assert not any(module._forward_hooks for module in net.modules())
    assert all(np.array_equal(arrays[name], value) for name, value in run.items())


def test_a_sequential_is_judged_as_far_as_its_names_tell(run):
    net = nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 2))
    run["dW1"] = 2 * run["dW1"]
    report = check(run, net, **data(run))
    assert report.first == "dW1"
    names = {"W1": "0.weight.T", "h": "0", "a": "1", "y_pred": "2"}
    run["dh"] = -run["dh"]
    report = check(run, net, **data(run), names=names)
    assert report.first == "dh"


def test_nested_modules_and_modules_called_twice():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.ModuleDict({"h": nn.Linear(3, 3, bias=False)})

        def forward(self, x):
            return self.body["h"](self.body["h"](x))

    rng = np.random.default_rng(0)
    x, y, w = (rng.standard_normal((4, 3)), rng.standard_normal((4, 3)), np.eye(3) + 0.1)
    h = x @ w
    h_2 = h @ w
    grad_h_2 = 2 * (h_2 - y)
    grad_h = grad_h_2 @ w.T
    run = {"w": w, "h": h, "h_2": h_2, "grad_h_2": grad_h_2, "grad_h": grad_h}
    right = {**run, "grad_w": h.T @ grad_h_2 + x.T @ grad_h}
    assert check(right, Twice(), x, y).ok
    report = check({**run, "grad_w": h.T @ grad_h_2}, Twice(), x, y)
    assert report.first == "grad_w"
    assert next(f.cause.kind for f in report.findings if f.cause) == "not-accumulated"


def test_a_relu_that_works_in_place_is_no_trouble():
    net = nn.Sequential(nn.Linear(5, 6), nn.ReLU(inplace=True), nn.Linear(6, 2))
    params, x, y = gallery.draw("residual")
    values = {"h1": x @ params["w1"] + params["b1"]}
    values["h1_relu"] = np.maximum(values["h1"], 0)
    values["y_pred"] = values["h1_relu"] @ params["w3"] + params["b3"]
    names = {"w1": "0.weight.T", "b1": "0.bias", "w3": "2.weight.T", "b3": "2.bias"}
    names |= {"h1": "0", "h1_relu": "1"}
    grads = {"grad_y_pred": 2 * (values["y_pred"] - y)}
    assert check({**params, **values, **grads}, net, x, y, names=names).ok


class Dropping(Net):
    def __init__(self):
        super().__init__()
        self.drop = nn.Dropout(0.5)


class Noisy(Net):
    def forward(self, x):
        return super().forward(x + torch.rand_like(x))


class Half(Net):
    def forward(self, x):
        return super().forward(x), x


BAD = {
    "mapping": (lambda r: {"quantities": [1]}, "must be a mapping"),
    "no module": (lambda r: {"reference": 3}, "must be an nn.Module"),
    "callable": (lambda r: {"reference": lambda: 1 / 0}, "raised ZeroDivisionError"),
    "makes none": (lambda r: {"reference": dict}, "found dict"),
    "dropout": (lambda r: {"reference": Dropping()}, "cannot draw the same mask"),
    "noise": (lambda r: {"reference": Noisy()}, "must be deterministic"),
    "tuple": (lambda r: {"reference": Half()}, "returns a tuple, which MSELoss does not"),
    "device": (lambda r: {"reference": Net().to("meta")}, "meta"),
    "parameter": (lambda r: {"quantities": without(r, "W1")}, r"h\.weight has no .*looked for"),
    "shape": (lambda r: {"quantities": {**r, "W1": r["W1"][1:]}}, r"\(5, 4\), found \(4, 4\)"),
    "integers": (lambda r: {"quantities": {**r, "b1": np.ones(4, int)}}, "b1 .*int64"),
    "half": (lambda r: {"quantities": {**r, "b1": np.ones(4, np.float16)}}, "b1 .*float16"),
    "nan": (lambda r: {"quantities": {**r, "b1": np.full(4, np.nan)}}, "b1 .*4 of 4 entries nan"),
    "complex": (lambda r: {"quantities": {**r, "h": r["h"] * 1j}}, "h must hold real numbers"),
    "object": (lambda r: {"quantities": {**r, "dh": r["dh"].astype(object)}}, "dh must hold real"),
    "blank": (lambda r: {"quantities": {**r, "dW2": ...}}, r"^dW2 .*own line in place of `\.\.\.`"),
    "blank parameter": (lambda r: {"quantities": {**r, "b1": ...}}, "b1 is still a blank"),
    "empty": (lambda r: {"quantities": {**r, "h": np.ones((0, 4))}}, "h is empty"),
    "x": (lambda r: {"x": None}, "x must be an array"),
    "x nan": (lambda r: {"x": r["x"] * np.nan}, "x must be finite, found 80 of 80"),
    "x shape": (lambda r: {"x": r["x"][:, :3]}, r"fails on x of shape \(16, 3\)"),
    "y shape": (lambda r: {"y": r["y"][:, 0]}, r"output has shape \(16, 2\), y has \(16,\)"),
    "loss": (lambda r: {"loss": 3}, "loss must be callable"),
    "loss shape": (lambda r: {"loss": nn.MSELoss(reduction="none")}, "must be one number"),
    "names": (lambda r: {"names": {"h": "hh"}}, "h as hh.*did you mean h?"),
    "own names": (lambda r: {"names": {"hidden": "h"}}, "no quantity hidden"),
    "nothing": (lambda r: {"quantities": without_gradients(r)}, "None of .* is the gradient"),
}


def without_gradients(run):
    return {name: run[name] for name in ("W1", "b1", "W2", "b2", "h", "a", "loss")}


def without(run, name):
    return {key: value for key, value in run.items() if key != name}


@pytest.mark.parametrize(("change", "words"), BAD.values(), ids=BAD)
def test_bad_input_is_one_sentence(run, change, words):
    arguments = {"quantities": run, "reference": Net(), **data(run)} | change(run)
    with pytest.raises(InputError, match=words) as caught:
        check(**arguments)
    assert "\n" not in str(caught.value)


def test_jupyter_shows_bad_input_as_its_sentence_without_a_traceback(run):
    with pytest.raises(InputError) as caught:
        check({**run, "dh": ...}, Net(), **data(run))
    assert caught.value._render_traceback_() == [
        "InputError: dh is still a blank: put your own line in place of `...`."
    ]


def test_entries_that_are_not_finite_only_in_a_gradient_are_a_mistake(run):
    run["dh"][2, 1] = np.inf
    report = check(run, Net(), **data(run))
    assert report.first == "dh"
    (cause,) = (f.cause for f in report.findings if f.cause)
    assert cause.kind == "nonfinite"
    assert "holds inf in row 2 and in column 1" in cause.message
    assert report.to_dict()["quantities"][10]["difference"] is not None


def test_the_package_exports_what_the_readme_names():
    checks = {"check", "check_function", "check_layer"}
    assert set(handgrad.__all__) == {"InputError", "MismatchError", "Report"} | checks
    assert handgrad.Report.__name__ == "Report"
    with pytest.raises(AttributeError):
        _ = handgrad.nothing
