import numpy as np
import pytest
import torch

from manual.training import step
from parity_tests import variants
from parity_tests.compare.drift import apart, loss_tolerance, train_both
from parity_tests.compare.precision import BFLOAT16, TF32, rounded
from parity_tests.compare.trace import like, manual_trace
from parity_tests.compare.weights import to_notebook
from parity_tests.run import build_reference, compare
from parity_tests.tests.cases import CASES, draw_case


@pytest.mark.parametrize("case", CASES)
def test_every_quantity_matches(variant, case, dtype, device):
    params, x, y = draw_case(variant, case, dtype)
    report = compare(variant, params, x, y, device)
    assert [finding for finding in report.findings if finding.verdict != "match"] == []


@pytest.mark.parametrize("precision", [TF32, BFLOAT16], ids=lambda precision: precision.name)
@pytest.mark.parametrize("case", CASES)
def test_every_quantity_matches_in_short_precisions(variant, case, precision, device):
    """TF32 is the GPU's own, or imitated on the CPU."""
    params, x, y = draw_case(variant, case, "float32")
    params = {name: rounded(w, precision) for name, w in params.items()}
    x, y = rounded(x, precision), rounded(y, precision)
    report = compare(variant, params, x, y, device, precision)
    assert [finding for finding in report.findings if finding.verdict != "match"] == []


@pytest.mark.parametrize("case", CASES)
def test_weights_match_after_one_step(variant, case, dtype, device):
    params, x, y = draw_case(variant, case, dtype)
    rate = variants.manual_side(variant).LEARNING_RATES[-1]
    tolerance = {f.name: f.tolerance for f in compare(variant, params, x, y, device).findings}

    model, names, loss_fn = build_reference(variant, params, device)[:3]
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    loss_fn(model(like(x, model)), like(y, model)).backward()
    optimizer.step()

    grads = manual_trace(variants.manual_side(variant), params, x, y)
    step(params, grads, rate)
    parameters = dict(model.named_parameters())
    for name, path in names.items():
        theirs = to_notebook(model, path, parameters[path]).detach().cpu().numpy()
        largest = max(np.abs(params[name]).max(), np.abs(theirs).max())
        # the gradients' own tolerance, then each side rounds a product and a difference
        allowed = rate * tolerance[f"grad_{name}"] + 2 * np.finfo(dtype).eps * largest
        assert np.abs(params[name] - theirs).max() <= allowed, name


@pytest.mark.parametrize("case", CASES)
def test_losses_match_over_the_notebooks_training(variant, case, dtype, device):
    params, x, y = draw_case(variant, case, dtype)
    network = variants.manual_side(variant)
    ours, theirs = train_both(variant, params, x, y, network.LEARNING_RATES, device)
    allowed = loss_tolerance(network, params, x, y, network.LEARNING_RATES)
    assert len(ours) == len(theirs) == len(network.LEARNING_RATES)
    assert ours[-1] < ours[0]
    assert (apart(ours, theirs) <= allowed).all()


def test_every_quantity_is_compared():
    report = compare("three_layer_relu_bias", *variants.draw("three_layer_relu_bias"))
    names = [finding.name for finding in report.findings]
    params = ["w1", "b1", "w2", "b2", "w3", "b3"]
    values = ["h1", "h1_relu", "h2", "h2_relu", "y_pred"]
    assert names[:12] == [*params, *values, "loss"]
    assert sorted(names[12:]) == sorted(f"grad_{name}" for name in [*params, *values])
    kinds = [finding.kind for finding in report.findings]
    assert kinds == 6 * ["parameter"] + 5 * ["value"] + ["loss"] + 11 * ["gradient"]
