import numpy as np
import pytest
import torch

from manual import three_layer_relu, two_layer_relu
from handgrad.load import gallery as variants
from handgrad.train.drift import Drift, apart, loss_tolerance, train_both, train_variant
from handgrad.compare.judge import whole_run
from handgrad.run.perturb import float64_traces, roundings
from handgrad.run.precision import FLOAT64
from handgrad.run.trace import manual_trace
from handgrad.errors import InputError
from handgrad.pipeline import build_reference, compare, compare_variant
from torch_ref.two_layer_relu import Net


def broken(change):
    """Make a backward pass of two_layer_relu whose result is changed."""
    right = two_layer_relu.backward
    return lambda *arguments: change(right(*arguments), *arguments)


def raises(grads, params, x, y, values):
    return values["h9"]


def changes_x(grads, params, x, y, values):
    x -= 1
    return grads


WAYS = {
    "raises": (raises, r"backward.*KeyError: 'h9'"),
    "none": (lambda grads, *_: None, "backward must return a dict.*NoneType"),
    "missing": (lambda grads, *_: without(grads, "grad_w1"), "returns no `grad_w1`"),
    "misspelt": (lambda grads, *_: {**grads, "grad_W1": grads["grad_w1"]}, "did you mean grad_w1"),
    "text": (lambda grads, *_: {**grads, "grad_w1": "1"}, "`grad_w1` of backward must be"),
    "complex": (lambda grads, *_: {**grads, "grad_w1": grads["grad_w1"] * 1j}, "real numbers"),
    "in place": (changes_x, "backward changes `x` in place"),
}


def without(grads, name):
    return {key: grad for key, grad in grads.items() if key != name}


@pytest.mark.parametrize(("change", "words"), WAYS.values(), ids=WAYS)
def test_a_variant_that_is_broken_is_one_sentence(monkeypatch, change, words):
    monkeypatch.setattr(two_layer_relu, "backward", broken(change))
    with pytest.raises(InputError, match=words) as caught:
        compare_variant("two_layer_relu")
    assert "two_layer_relu.py" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_forward_pass_that_changes_a_weight_is_refused(monkeypatch):
    def forward(params, x, y, right=two_layer_relu.forward):
        params["w1"] *= 2
        return right(params, x, y)

    monkeypatch.setattr(two_layer_relu, "forward", forward)
    with pytest.raises(InputError, match="forward changes `w1` in place"):
        compare_variant("two_layer_relu")


def test_a_wrong_value_is_told_with_the_line_that_computes_it(monkeypatch):
    """Not with the line of the backward pass that takes it out of the dict."""
    right = two_layer_relu.forward
    monkeypatch.setattr(two_layer_relu, "forward", lambda *a: {**right(*a), "h": -right(*a)["h"]})
    report = compare_variant("two_layer_relu")
    assert report.lines["h"].endswith(": h = x.dot(w1)")
    assert report.lines["h_relu"].endswith(": h_relu = np.maximum(h, 0)")


def test_a_mismatch_is_explained_with_its_line(monkeypatch):
    monkeypatch.setattr(
        two_layer_relu, "backward", broken(lambda g, *_: {**g, "grad_w2": -g["grad_w2"]})
    )
    report = compare_variant("two_layer_relu")
    assert report.first == "grad_w2"
    assert {f.verdict for f in report.findings} == {"match", "wrong"}
    assert "two_layer_relu.py:" in report.lines["grad_w2"]
    assert report.lines["grad_w2"].endswith("grad_w2 = h_relu.T.dot(grad_y_pred)")


def test_float32_is_computed_in_float32(monkeypatch):
    seen = []

    def forward(self, x, right=Net.forward):
        seen.append(torch.get_float32_matmul_precision())
        return right(self, x)

    monkeypatch.setattr(Net, "forward", forward)
    before = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("high")
        compare_variant("two_layer_relu", dtype="float32")
        train_variant("two_layer_relu", dtype="float32", sizes={"n": 2, "d_in": 2, "h": 2})
        assert set(seen) == {"highest"}
        assert torch.get_float32_matmul_precision() == "high"
    finally:
        torch.set_float32_matmul_precision(before)


@pytest.mark.parametrize("n", [1000, 5000])
def test_many_rows_that_are_alike_are_no_mismatch(variant, dtype, n):
    """Their sum rounds the same way at each term."""
    params, x, y = variants.draw(variant, 0, np.dtype(dtype), n=n)
    x[:], y[:] = x[0], y[0]
    assert compare(variant, params, x, y).ok
    labels = np.random.default_rng(0).integers(0, 2, y.shape).astype(dtype)
    assert compare(variant, params, x, labels).ok


def test_arrays_that_are_read_backwards_are_no_trouble():
    params, x, y = variants.draw("two_layer_relu")
    assert compare("two_layer_relu", params, x[::-1], y[::-1]).ok


def test_what_comes_after_a_loss_that_overflows_is_still_judged():
    params, x, y = variants.draw("two_layer_relu", dtype=np.float32)
    params["w2"] *= np.float32(1e20)
    with np.errstate(all="ignore"):
        given = manual_trace(two_layer_relu, params, x, y)
        assert np.isinf(given["loss"])
        reference = build_reference("two_layer_relu", params)
        assert {f.verdict for f in whole_run(given, reference, x, y)[0]} == {"match"}
        given["grad_w2"] = np.full_like(given["grad_w2"], np.nan)
        findings, _ = whole_run(given, reference, x, y)
    assert [f.name for f in findings if f.verdict == "mismatch"] == ["grad_w2"]


def test_noise_follows_cancellation():
    """A sum that cancels to nearly 0 keeps the errors of its terms."""
    params, x, y = variants.draw("three_layer_relu_bias", n=2, d_out=1)
    network = variants.manual_side("three_layer_relu_bias")
    y_pred = network.forward(params, x, y)["y_pred"]
    y = y_pred + np.array([[1.0], [-1.0 + 1e-9]])
    reference = build_reference("three_layer_relu_bias", params)
    *_, measured = roundings(float64_traces(reference, params, x, y, FLOAT64), FLOAT64)
    eps = np.finfo(np.float64).eps
    assert measured["grad_b3"].noise > 1e3 * eps * measured["grad_b3"].largest
    assert measured["grad_y_pred"].noise < 1e3 * eps * measured["grad_y_pred"].largest


def test_each_draw_can_only_add_to_the_noise():
    params, x, y = variants.draw("three_layer_sigmoid_bias")
    reference = build_reference("three_layer_sigmoid_bias", params)
    first, *more = roundings(float64_traces(reference, params, x, y, FLOAT64), FLOAT64)
    assert len(more) == 3
    eps = np.finfo(np.float64).eps
    for name, rounding in first.items():
        assert rounding.noise == eps * rounding.largest
        measures = [rounding.noise, *(measured[name].noise for measured in more)]
        assert measures == sorted(measures)
    assert any(more[-1][name].noise > 2 * first[name].noise for name in first)


def test_an_entry_within_rounding_of_a_kink_is_no_mismatch():
    """Rounding may put h on either side of 0, and each side's gradient is right."""
    params, x, y = variants.draw("two_layer_relu", n=4, d_in=2, h=1)
    params["w1"][:] = [[0.1], [0.3]]
    x[0] = [3.0, -1.0]  # 0.1 * 3 - 0.3 is 5.6e-17, or 0 if it is not rounded between
    given = manual_trace(two_layer_relu, params, x, y)
    given["h"][0] = -given["h"][0] - 1e-17
    values = {**given, "h_relu": np.maximum(given["h"], 0)}
    values["y_pred"] = values["h_relu"].dot(params["w2"])
    given = {**params, **values, **two_layer_relu.backward(params, x, y, values)}
    findings, _ = whole_run(given, build_reference("two_layer_relu", params), x, y)
    assert {f.verdict for f in findings} == {"match"}


def test_drift_has_a_yardstick():
    params, x, y = variants.draw("two_layer_relu")
    rates = two_layer_relu.LEARNING_RATES
    allowed = loss_tolerance(two_layer_relu, params, x, y, rates)
    ours, theirs = train_both("two_layer_relu", params, x, y, rates)
    assert (apart(ours, theirs) <= allowed).all()
    assert (allowed < 1e-9 * theirs[0]).all()
    slower, _ = train_both("two_layer_relu", params, x, y, [r * (1 - 1e-6) for r in rates])
    assert (apart(slower, theirs) > allowed)[5:].any()


def test_apart_is_inf_where_just_one_side_is_finite():
    ours, theirs = np.array([1.0, np.nan, np.inf, 2.0]), np.array([1.5, np.inf, np.nan, np.nan])
    assert apart(ours, theirs).tolist() == [0.5, 0.0, 0.0, np.inf]
    drift = Drift(ours, np.array([0.0, np.nan, 2.0, 4.0]), ours, ours)
    assert drift.scale.tolist() == [1.0, 1.0, 2.0, 4.0]


def test_the_notebooks_programme_and_sizes():
    programmes = {name: variants.manual_side(name).LEARNING_RATES for name in variants.VARIANTS}
    assert programmes == {
        "two_layer_relu": [1e-6] + 500 * [1e-4],
        "three_layer_relu": 501 * [1e-4],
        "three_layer_relu_bias": 501 * [1e-4],
        "three_layer_sigmoid_bias": 500 * [1e-4],
    }
    assert variants.sizes("two_layer_relu") == {"n": 64, "d_in": 20, "h": 32, "d_out": 1}
    for name in list(variants.VARIANTS)[1:]:
        assert variants.sizes(name) == {"n": 64, "d_in": 6, "h1": 8, "h2": 8, "d_out": 1}


def test_draws_are_standard_normal(variant):
    params, x, y = variants.draw(variant, n=2000, d_in=100)
    for array in (params[next(iter(params))], x, y):
        assert abs(array.mean()) < 0.1
        assert abs(array.std() - 1) < 0.1
        assert (np.abs(array) > 2).any()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_sigmoid_does_not_overflow(dtype):
    """Warnings are errors here."""
    sigmoid = variants.manual_side("three_layer_sigmoid_bias").sigmoid
    found = sigmoid(np.array([-1e4, -1.0, 0.0, 1.0, 1e4], dtype))
    assert found.dtype == dtype
    assert found[[0, 2, 4]].tolist() == [0.0, 0.5, 1.0]
    assert np.allclose(found[[1, 3]], [1 / (1 + np.e), np.e / (1 + np.e)])


def test_training_takes_nothing_from_its_caller():
    params, x, y = variants.draw("three_layer_relu")
    before = {name: w.copy() for name, w in params.items()}
    train_both("three_layer_relu", params, x, y, [1e-4, 1e-4])
    assert all(np.array_equal(params[name], before[name]) for name in params)
    assert three_layer_relu.LEARNING_RATES
