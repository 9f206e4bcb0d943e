"""The pieces that lessons are made of, and networks and derivations of other forms."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from handgrad.lessons import climb
from handgrad.lessons.autograd import ways_back
from handgrad.lessons.breaking import broken_lines, planted
from handgrad.lessons.climb import rungs
from handgrad.lessons.diagram import WIDTH, diagram
from handgrad.lessons.site import write_site
from handgrad.load import gallery
from parity_tests.conftest import slow_but
from parity_tests.product_tests.lesson_tools import install, short, text_of
from parity_tests.product_tests.two_inputs import two_inputs

__all__ = ["short", "two_inputs"]  # fixtures

NAME = "three_layer_relu_bias"


@pytest.fixture
def changed(monkeypatch, tmp_path):
    """Give a function that changes a network's hand-written side, and gives its page's text."""

    def page_of(name, *changes):
        source = Path(gallery.manual_side(name).__file__).read_text()
        for line, instead in changes:
            assert line in source
            source = source.replace(line, instead)
        install(monkeypatch, tmp_path, "manual", name, source)
        return text_of(write_site(tmp_path / "out", [name]).read_text())

    return page_of


@pytest.mark.parametrize(
    ("right", "wrong", "mistake"),
    [
        ("h * 3", "-(h * 3)", "the sign is wrong"),
        ("2.0 * (y_pred - y)", "(y_pred - y)", "the 2 of the square is forgotten"),
        ("a.T.dot(b) + c.T.dot(d)", "a.T.dot(b)", "what comes back the other way is forgotten"),
        ("f(a + b)", "-(f(a + b))", "the sign is wrong"),
        ("x.T @ grad_h", "grad_h.T @ x", "the factors are the wrong way round"),
    ],
)
def test_any_line_can_be_broken(right, wrong, mistake):
    assert planted(right) == (wrong, mistake)


def test_a_mistake_leaves_the_module_as_it_was():
    side = gallery.manual_side("two_layer_relu")
    before = side.backward
    broken_lines(gallery.load("two_layer_relu"))
    assert side.backward is before


def test_a_page_shows_the_line_as_it_is_now_and_what_is_wrong_with_it(changed):
    line = "grad_b2 = grad_h2.sum(axis=0)"
    page = changed(NAME, (line, "grad_b2 = -grad_h2.sum(axis=0)"))
    assert "grad_b2 = -grad_h2.sum(axis=0)" in page
    assert "Wrong: grad_b2." in page
    assert "sign: grad_b2 has the wrong sign" in page
    assert "This network is wrong as it stands" in page


def test_the_ladder_tells_a_rung_that_trains_otherwise(monkeypatch):
    module = gallery.imported("torch_ref.ladder.autograd")
    right = module.train

    def half_as_fast(params, x, y, rates):
        return right(params, x, y, [rate / 2 for rate in rates])

    monkeypatch.setattr(module, "train", half_as_fast)
    monkeypatch.setattr(climb, "RUNGS", dict.fromkeys(("tensors", "autograd", "func")))
    found = {rung.name: (rung.report.ok, rung.drift.ok) for rung in rungs()}
    assert found == {"tensors": (True, True), "autograd": (True, False), "func": (True, True)}


def test_the_ladder_waits_where_its_first_rung_is_wrong(monkeypatch, tmp_path):
    source = Path(gallery.manual_side("two_layer_relu").__file__).read_text()
    wrong = source.replace("grad_h_relu * (h > 0)", "grad_h_relu")
    install(monkeypatch, tmp_path, "manual", "two_layer_relu", wrong)
    page = text_of(write_site(tmp_path / "out", ["ladder"]).read_text())
    assert "Rung 1, NumPy: Wrong: grad_h." in page
    assert "Put rung 1 right, and the ladder is climbed here." in page


MASK = "grad_h = grad_h_relu * (h > 0)"
OTHERWISE = {
    "shape": ("h_relu.T.dot(grad_y_pred)", "x.T.dot(grad_y_pred)", "cannot be trained: grad_w2"),
    "split": (
        "h_relu.T.dot(grad_y_pred)",
        "h_relu.T.dot(\n        grad_y_pred  # so\n    )",
        "match",
    ),
    "in place": (MASK, "grad_h = grad_h_relu.copy()\n    grad_h[h <= 0] = 0", "match"),
    "helper": (MASK, "mask = h > 0\n    grad_h = grad_h_relu * mask", "match"),
    "adding up": (
        MASK,
        "grad_h = grad_h_relu / 2 * (h > 0)\n    grad_h += grad_h_relu / 2 * (h > 0)",
        "grad_h += grad_h_relu / 2\n",  # its break
    ),
}


@pytest.mark.parametrize("form", slow_but(OTHERWISE, "shape", "split", "adding up"))
def test_a_derivation_in_another_form_has_its_page(changed, form):
    line, instead, words = OTHERWISE[form]
    page = changed("two_layer_relu", (line, instead))
    assert words in page
    for part in instead.splitlines():
        assert part.strip() in page


UNTOLD = {
    "no line": ("grad_b1 = grad_h1.sum(axis=0)", "grads = grad_h1", "no line of its own"),
    "no formula": ("      grad_b1       $", "grad_b1", "has no formula for `grad_b1`"),
    "brace": ("\\text{rows} \\nabla h_1", "\\text{rows \\nabla h_1", "a brace too many or too few"),
}


@pytest.mark.parametrize(("line", "instead", "words"), UNTOLD.values(), ids=UNTOLD)
def test_a_lesson_that_cannot_be_told_is_one_sentence(
    handgrad, monkeypatch, tmp_path, line, instead, words
):
    source = Path(gallery.manual_side(NAME).__file__).read_text()
    assert line in source
    source = source.replace(line, instead)
    source = source.replace('"grad_b1": grad_b1', '"grad_b1": grad_h1.sum(axis=0)')
    install(monkeypatch, tmp_path, "manual", NAME, source)
    code, out, err = handgrad("lesson", NAME, "--out", tmp_path / "out")
    assert (code, out) == (2, "")
    assert words in err
    assert err.count("\n") == 1


def test_a_network_without_a_training_has_no_section_on_it(changed):
    page = changed("two_layer_relu", ("LEARNING_RATES = [1e-6] + 500 * [1e-4]", ""))
    assert "The training loop" not in page
    assert "forwardbackwardbreak ittraps" in page  # the links to its sections


def test_a_network_of_another_kind_has_its_page(two_inputs, tmp_path):
    page = write_site(tmp_path / "out", [two_inputs]).read_text()
    (sentence,) = re.findall(r'class="network".*?aria-label="(.*?)"', page)
    assert sentence.startswith("x2 and table give picked; x1 and w and picked give total; ")
    page = text_of(page)
    for words in (
        "All 9 quantities match",
        "return (total * y).sum()",
        "model.picked.weight.grad",
        "(x1 and x2 together are x, and net takes them so)",
    ):
        assert words in page
    assert "The training loop" not in page
    assert "nn.Linear" not in page


def test_the_ways_back_are_autograds_steps():
    found = ways_back(gallery.load("softmax_cross_entropy"))
    assert found == {
        "h1": {"x": ["AddmmBackward0"], "w1": ["AddmmBackward0", "TBackward0"]}
        | {"b1": ["AddmmBackward0"]},
        "h1_relu": {"h1": ["ReluBackward0"]},
        "scores": {"h1_relu": ["AddmmBackward0"], "w2": ["AddmmBackward0", "TBackward0"]}
        | {"b2": ["AddmmBackward0"]},
        "loss": {"scores": ["NllLossBackward0", "LogSoftmaxBackward0"]},
    }


def test_a_diagram_has_a_box_for_each_quantity_and_an_arrow_for_each_step():
    sources = {"h": ["w1", "x"], "y_pred": ["w2", "h", "x"], "loss": ["y_pred", "y"]}
    names = ("x", "y", "w1", "w2", "h", "y_pred")
    found = diagram(["x"], sources, dict.fromkeys(names, "2 x 2"))
    assert sorted(box.name for box in found.boxes) == sorted([*names, "loss"])
    assert len(found.arrows) == 7
    assert sum("C" in arrow.path for arrow in found.arrows) == 1  # x to y_pred goes around h
    assert found.sentence.startswith("w1 and x give h; ")
    assert max(arrow.x for arrow in found.arrows) < found.width > WIDTH


def test_a_weight_used_twice_has_one_box_and_two_arrows():
    sources = {"h": ["x", "w"], "h_tanh": ["h"], "h2": ["w", "h_tanh"], "loss": ["h2"]}
    found = diagram(["x"], sources, dict.fromkeys(("x", "w", "h", "h_tanh", "h2"), "2 x 2"))
    assert [box.name for box in found.boxes].count("w") == 1
    assert len(found.arrows) == 6
    assert found.width == WIDTH


def test_boxes_beside_a_value_do_not_overlap():
    sources = {"a": list("klmn"), "b": ["a", *"opqr"], "loss": ["b"]}
    found = diagram(["x"], sources, dict.fromkeys([*"xabklmnopqr"], "2"))
    beside = sorted(box.y for box in found.boxes if box.kind == "parameter")
    assert min(below - above for above, below in pairwise(beside)) >= 40
