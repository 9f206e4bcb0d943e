"""The lessons: built from the code and from a real run, and looked at in a real browser."""

import html
import re
import shutil
import subprocess
import sys
import types
from pathlib import Path

import pytest

import manual
from manual import three_layer_relu_bias
from handgrad.load import gallery as variants
from handgrad.lessons.breaking import broken_lines, planted
from handgrad.lessons.climb import rungs
from handgrad.lessons.diagram import diagram
from handgrad.lessons.site import pages_of, write_site
from parity_tests.product_tests.conftest import serious
from handgrad.pipeline import compare_variant
from torch_ref.ladder import RUNGS, autograd

PAGES = [*variants.VARIANTS, "ladder", "index"]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Give the folder of all pages."""
    folder = tmp_path_factory.mktemp("lessons")
    write_site(folder, pages_of())
    return folder


def text_of(page):
    """Return what a reader sees of some HTML."""
    return html.unescape(re.sub(r"<[^>]+>", "", page))


def test_all_pages_are_there_and_small(site):
    assert {path.name for path in site.iterdir()} == {f"{name}.html" for name in PAGES}
    for path in site.iterdir():
        assert path.stat().st_size < 600_000
        assert "<script" not in path.read_text()


def test_every_quantity_has_its_row_with_formula_lines_and_numbers(site, variant):
    page = (site / f"{variant}.html").read_text()
    names = [f.name for f in compare_variant(variant).findings if f.kind != "parameter"]
    rows = dict(re.findall(r'<section class="quantity" id="(\w+)"(.*?)</section>', page, re.S))
    assert sorted(rows) == sorted(names)
    source = Path(variants.manual_side(variant).__file__).read_text().splitlines()
    for name, row in rows.items():
        assert "<math" in row
        assert ": match" in text_of(row)
        number, code = re.findall(r'<span class="no">(\d+)</span>(.*)', row)[0]
        assert text_of(code) == source[int(number) - 1].strip()
        assert code.startswith(f'<span class="n">{name}</span>')


def test_pytorchs_lines_are_those_of_the_file(site, variant):
    page = (site / f"{variant}.html").read_text()
    source = Path(variants.torch_side(variant).__file__).read_text().splitlines()
    block = rf"PyTorch, torch_ref/{variant}.py</figcaption>\n<pre.*?>(.*?)</pre>"
    shown = re.findall(block, page, re.S)
    lines = [
        (int(number), text_of(code))
        for block in shown
        for number, code in re.findall(r'<span class="no">(\d+)</span>(.*)', block)
    ]
    assert len(lines) >= 2 * len(shown) - 1
    for number, code in lines:
        assert code == source[number - 1].strip()


def test_gradients_say_where_pytorch_has_them(site):
    page = text_of((site / "three_layer_relu_bias.html").read_text())
    for words in (
        "model.h2.weight.grad.T",
        "model.h2.bias.grad",
        "h2_relu.grad",
        "given by ReluBackward0, the way back through h2_relu",
        "given by AddmmBackward0, the way back through h2",
        "given by MseLossBackward0, the way back through loss",
    ):
        assert words in page
    assert "model.h2.bias.grad.T" not in page


def test_each_broken_line_is_named_alone(variant):
    network = variants.manual_side(variant)
    params, x, y = variants.draw(variant)
    found = broken_lines(variant, params, x, y, network)
    grads = network.backward(params, x, y, network.forward(params, x, y))
    assert [one.name for one in found] == list(grads)
    for one in found:
        assert one.said[-1].startswith(f"Wrong: {one.name}.") or "it raised" in one.said[0]
        assert "unknown" not in one.said[0]
        assert str(Path.cwd()) not in "".join(one.said)


def test_any_line_can_be_broken():
    assert planted("h * 3") == ("-(h * 3)", "the sign is wrong")
    assert planted("2.0 * (y_pred - y)") == ("(y_pred - y)", "the 2 of the square is forgotten")


def test_a_page_shows_the_line_as_it_is_now_and_what_is_wrong_with_it(tmp_path):
    """A copy of the three packages, one line of it changed; nothing else is edited."""
    root = Path(manual.__file__).parents[1]
    for package in ("manual", "torch_ref", "parity_tests"):
        shutil.copytree(
            root / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    changed = tmp_path / "manual" / "three_layer_relu_bias.py"
    source = changed.read_text()
    line = "grad_b2 = grad_h2.sum(axis=0)  # (h2,)"
    assert line in source
    changed.write_text(source.replace(line, "grad_b2 = -grad_h2.sum(axis=0)  # (h2,)"))
    command = [sys.executable, "-m", "handgrad", "lesson", "three_layer_relu_bias"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    page = text_of((tmp_path / "lessons" / "three_layer_relu_bias.html").read_text())
    assert "grad_b2 = -grad_h2.sum(axis=0)" in page
    assert "Wrong: grad_b2." in page
    assert "sign: grad_b2 has the wrong sign" in page


def test_the_index_leads_through_all_in_the_notebooks_order(site):
    page = (site / "index.html").read_text()
    main = page.split("</nav>")[1]
    assert re.findall(r'<h2><a href="(\w+)\.html"', main) == [*variants.VARIANTS, "ladder"]
    assert "each product gets a bias" in text_of(main)


def test_the_ladder_shows_every_rung_and_that_it_matches(site):
    page = (site / "ladder.html").read_text()
    assert re.findall(r'<h2 id="(\w+)">', page) == list(RUNGS)
    assert page.count('<span class="match">match</span>') == 2 * len(RUNGS)  # a step, and all


def test_the_ladder_tells_a_rung_that_trains_otherwise(monkeypatch):
    right = autograd.train

    def half_as_fast(params, x, y, rates):
        losses, grads, after = right(params, x, y, [rate / 2 for rate in rates])
        return losses, grads, after

    monkeypatch.setattr(autograd, "train", half_as_fast)
    found = {rung.name: (rung.report.ok, rung.drift.ok) for rung in rungs()}
    assert found.pop("autograd") == (True, False)
    assert set(found.values()) == {(True, True)}


WRONG = {
    "shape": ("h1_relu.T.dot(grad_h2)", "x.T.dot(grad_h2)", "cannot be trained: `grad_w2`"),
    "split": ("h1_relu.T.dot(grad_h2)", "h1_relu.T.dot(\n        grad_h2  # so\n    )", "match"),
    "in place": (
        "grad_h1 = grad_h1_relu * (h1 > 0)",
        "grad_h1 = grad_h1_relu.copy()\n    grad_h1[h1 <= 0] = 0",
        "match",
    ),
    "helper": (
        "grad_h1 = grad_h1_relu * (h1 > 0)",
        "mask = h1 > 0\n    grad_h1 = grad_h1_relu * mask",
        "match",
    ),
}


@pytest.mark.parametrize(("line", "instead", "words"), WRONG.values(), ids=WRONG)
def test_a_derivation_in_another_form_has_its_page(monkeypatch, tmp_path, line, instead, words):
    source = Path(three_layer_relu_bias.__file__).read_text()
    assert line in source
    path = tmp_path / "manual" / "three_layer_relu_bias.py"
    path.parent.mkdir()
    path.write_text(source.replace(line, instead))
    module = types.ModuleType("manual.three_layer_relu_bias")
    module.__file__ = str(path)
    exec(compile(path.read_text(), str(path), "exec"), vars(module))
    monkeypatch.setitem(sys.modules, "manual.three_layer_relu_bias", module)
    write_site(tmp_path / "out", ["three_layer_relu_bias"])
    page = text_of((tmp_path / "out" / "three_layer_relu_bias.html").read_text())
    assert words.replace("`", "") in page
    for part in instead.splitlines():
        assert part.strip() in page


BROKEN = {
    "no line": ("grad_b1 = grad_h1.sum(axis=0)", "grads = grad_h1", "no line of its own"),
    "no formula": ("      grad_b1       $", "grad_b1", "has no formula for `grad_b1`"),
    "brace": ("\\text{rows} \\nabla h_1", "\\text{rows \\nabla h_1", "a brace too many or too few"),
}


@pytest.mark.parametrize(("line", "instead", "words"), BROKEN.values(), ids=BROKEN)
def test_a_lesson_that_cannot_be_told_is_one_sentence(tmp_path, line, instead, words):
    root = Path(manual.__file__).parents[1]
    for package in ("manual", "torch_ref", "parity_tests"):
        shutil.copytree(
            root / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    changed = tmp_path / "manual" / "three_layer_relu_bias.py"
    source = changed.read_text()
    assert line in source
    source = source.replace(line, instead)
    changed.write_text(source.replace('"grad_b1": grad_b1', '"grad_b1": grad_h1.sum(axis=0)'))
    command = [sys.executable, "-m", "handgrad", "lesson", "three_layer_relu_bias"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_every_link_leads_somewhere(site):
    for path in site.iterdir():
        for target in re.findall(r'href="([^"]+)"', path.read_text()):
            file, _, place = target.partition("#")
            if target.startswith("data:"):
                continue
            found = site / file if file else path
            assert found.exists(), target
            assert not place or f'id="{place}"' in found.read_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_pages_open_in_a_browser(site, visit, width, scheme):
    for name in PAGES:
        page, trouble = visit(site / f"{name}.html", width, scheme)
        assert trouble == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if width == 1280 and name in ("three_layer_relu_bias", "ladder", "index"):
            assert serious(page) == []  # the other pages are made of the same pieces
        if name in variants.VARIANTS:
            left, right = page.locator("#loss .pair > div").all()
            ours, theirs = left.bounding_box(), right.bounding_box()
            assert (ours["y"] == theirs["y"]) == (width == 1280)  # beside, or one below the other


def test_pages_can_be_read_without_scripts(site, visit):
    page, trouble = visit(site / "two_layer_relu.html", scripts=False)
    assert trouble == []
    assert page.locator("#verdict").is_visible()
    assert page.locator("#grad_w1 math").is_visible()


def test_nothing_but_lessons_is_written_over(site, handgrad, tmp_path, monkeypatch):
    mine = tmp_path / "index.html"
    mine.write_text("mine")
    code, out, err = handgrad("lesson", "--out", tmp_path)
    assert (code, out) == (2, "")
    assert f"{mine} is there already, and is no lesson" in err
    assert mine.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [mine]


def test_one_page_alone_has_no_dead_link(handgrad, tmp_path):
    code, out, _ = handgrad("lesson", "two_layer_relu", "--out", tmp_path / "new")
    assert code == 0
    path = tmp_path / "new" / "two_layer_relu.html"
    assert out == f"Open {path} in a browser.\n"
    assert list((tmp_path / "new").iterdir()) == [path]
    assert re.findall(r'href="(\w+\.html)', path.read_text()) == ["two_layer_relu.html"]


BAD = {
    ("lesson", "no_such"): "no lesson 'no_such': choose one of two_layer_relu",
    ("lesson", "--out", "file"): "file is no folder",
    ("lesson", "--out", "file/below"): "Cannot make the folder file/below",
    ("lesson", "two_layer_relu", "--solved"): "--solved goes with --notebook",
    ("lesson", "--notebook", "a.ipynb"): "A notebook is of one variant",
    ("lesson", "ladder", "--notebook", "a.ipynb"): "no variant 'ladder'",
}


@pytest.mark.parametrize(("arguments", "words"), BAD.items(), ids=map(" ".join, BAD))
def test_bad_input_is_one_sentence(handgrad, monkeypatch, tmp_path, arguments, words):
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("mine")
    code, out, err = handgrad(*arguments)
    assert (code, out) == (2, "")
    assert words in err
    assert err.count("\n") == 1


def test_a_diagram_has_a_box_for_each_quantity_and_an_arrow_for_each_step():
    sources = {"h": ["w1", "x"], "y_pred": ["w2", "h", "x"], "loss": ["y_pred", "y"]}
    found = diagram(sources, dict.fromkeys(("x", "y", "w1", "w2", "h", "y_pred"), "2 x 2"))
    assert {box.name for box in found.boxes} == {"x", "y", "w1", "w2", "h", "y_pred", "loss"}
    assert len(found.arrows) == 7
    assert sum("C" in arrow.path for arrow in found.arrows) == 1  # x to y_pred goes around h
    assert found.sentence.startswith("w1 and x give h; ")


def test_a_mistake_leaves_the_module_as_it_was():
    before, name = three_layer_relu_bias.backward, "three_layer_relu_bias"
    params, x, y = variants.draw(name)
    broken_lines(name, params, x, y, three_layer_relu_bias)
    assert three_layer_relu_bias.backward is before
