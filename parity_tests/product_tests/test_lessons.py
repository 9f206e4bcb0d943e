"""The lessons: built from the code and from a real run, and looked at in a real browser."""

import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from handgrad.lessons import site as pages
from handgrad.lessons.breaking import broken_lines
from handgrad.lessons.climb import RUNGS
from handgrad.lessons.site import pages_of, write_site
from handgrad.lessons.story import story
from handgrad.load import gallery
from handgrad.run.hand_written import run_hand_written
from parity_tests.conftest import IN_CI
from parity_tests.product_tests.conftest import serious
from parity_tests.product_tests.lesson_tools import short, text_of

__all__ = ["short"]  # a fixture

ROOT = Path(gallery.__file__).parents[2]
PAGES = [*gallery.GALLERY, "ladder", "index"]
NAME = "three_layer_relu_bias"
# Those whose lines are broken, which takes a check for each.
BROKEN = list(gallery.GALLERY) if IN_CI else ["two_layer_relu", "layer_norm"]


@pytest.fixture(scope="module")
def told(short):
    """Give a function that tells the story of a network, each once; lines are broken of BROKEN."""

    def broken(network):
        return broken_lines(network) if network.name in BROKEN else []

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("handgrad.lessons.story.broken_lines", broken)
        yield cache(story)


@pytest.fixture(scope="module")
def site(told, tmp_path_factory):
    """Give the folder of all pages."""
    folder = tmp_path_factory.mktemp("lessons")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pages, "story", told)
        write_site(folder, pages_of())
    return folder


def numbered(block):
    """Return pairs of a number and a line of code from some HTML."""
    return [(int(n), code) for n, code in re.findall(r'<span class="no">(\d+)</span>(.*)', block)]


def test_all_pages_are_there_and_small(site):
    assert {path.name for path in site.iterdir()} == {f"{name}.html" for name in PAGES}
    for path in site.iterdir():
        assert path.stat().st_size < 600_000
        assert "<script" not in path.read_text()


def test_every_quantity_has_its_row_with_formula_lines_and_numbers(site, told, name):
    page = (site / f"{name}.html").read_text()
    names = [f.name for f in told(name)["report"].findings if f.kind != "parameter"]
    rows = dict(re.findall(r'<section class="quantity" id="(\w+)"(.*?)</section>', page, re.S))
    assert sorted(rows) == sorted(names)
    source = Path(gallery.manual_side(name).__file__).read_text().splitlines()
    for quantity, row in rows.items():
        assert "<math" in row
        assert ": match" in text_of(row)
        lines = numbered(re.findall(r"<pre.*?</pre>", row, re.S)[0])
        assert [text_of(code) for _, code in lines] == [source[n - 1].strip() for n, _ in lines]
        assert lines[-1][1].startswith(f'<span class="n">{quantity}</span>')


def test_pytorchs_lines_are_those_of_the_file(site, name):
    page = (site / f"{name}.html").read_text()
    source = Path(gallery.torch_side(name).__file__).read_text().splitlines()
    block = rf"PyTorch, torch_ref/{name}.py</figcaption>\n<pre.*?>(.*?)</pre>"
    shown = re.findall(block, page, re.S)
    lines = [line for block in shown for line in numbered(block)]
    assert len(lines) >= 2 * len(shown) - 1
    for number, code in lines:
        assert text_of(code) == source[number - 1].strip()


PLACES = {
    "three_layer_relu_bias": [
        "model.h2.weight.grad.T",
        "model.h2.bias.grad",
        "h2_relu.grad",
        "given by ReluBackward0, the way back through h2_relu",
        "given by AddmmBackward0 then TBackward0, the way back through h2",
        "given by MseLossBackward0, the way back through loss",
    ],
    "layer_norm": ["model.h1_norm.weight.grad", "given by NativeLayerNormBackward0, the way"],
    "softmax_cross_entropy": ["scores.grad", "NllLossBackward0 then LogSoftmaxBackward0, the way"],
    "residual": ["through h2, and by AddBackward0, the way back through total"],
    "shared_weight": ["through h2, and by MmBackward0 then TBackward0, the way back through h3"],
}


@pytest.mark.parametrize(("lesson", "words"), PLACES.items(), ids=PLACES)
def test_gradients_say_where_pytorch_has_them(site, lesson, words):
    page = text_of((site / f"{lesson}.html").read_text())
    assert [part for part in words if part not in page] == []
    assert "bias.grad.T" not in page
    assert "norm.weight.grad.T" not in page


@pytest.mark.parametrize("name", BROKEN)
def test_each_broken_line_is_named_alone(told, name):
    found = told(name)["broken"]
    trace = run_hand_written(gallery.load(name))
    assert [one.name for one in found] == [key for key in trace if key.startswith("grad_")]
    for one in found:
        assert one.said[-1].startswith(f"Wrong: {one.name}.") or "it raised" in one.said[0]
        assert "unknown" not in one.said[0]
        assert str(Path.cwd()) not in "".join(one.said)


@pytest.mark.slow
def test_a_line_changed_in_a_checkout_is_on_its_page(tmp_path):
    """A copy of the checkout, one line of it changed; nothing else is edited."""
    for package in ("handgrad", "manual", "torch_ref"):
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    path = tmp_path / "manual" / f"{NAME}.py"
    source, line = path.read_text(), "grad_b2 = grad_h2.sum(axis=0)"
    assert line in source
    path.write_text(source.replace(line, "grad_b2 = -grad_h2.sum(axis=0)"))
    command = [sys.executable, "-m", "handgrad", "lesson", NAME]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    page = text_of((tmp_path / "lessons" / f"{NAME}.html").read_text())
    assert "grad_b2 = -grad_h2.sum(axis=0)" in page
    assert "Wrong: grad_b2." in page


def test_the_index_leads_through_all_in_the_gallerys_order(site):
    page = (site / "index.html").read_text()
    main = page.split("</nav>")[1]
    assert re.findall(r'<h2><a href="(\w+)\.html"', main) == [*gallery.GALLERY, "ladder"]
    assert "each product gets a bias" in text_of(main)


def test_the_ladder_shows_every_rung_and_that_it_matches(site):
    page = (site / "ladder.html").read_text()
    assert re.findall(r'<h2 id="(\w+)">', page) == list(RUNGS)
    assert page.count('<span class="match">match</span>') == 2 * len(RUNGS)  # a step, and all


def test_every_link_leads_somewhere(site):
    for path in site.iterdir():
        for target in re.findall(r'href="([^"]+)"', path.read_text()):
            file, _, place = target.partition("#")
            if target.startswith("data:"):
                continue
            found = site / file if file else path
            assert found.exists(), target
            assert not place or f'id="{place}"' in found.read_text()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_pages_open_in_a_browser(site, visit, width, scheme):
    for name in PAGES:
        page, trouble = visit(site / f"{name}.html", width, scheme)
        assert trouble == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if width == 1280 and name in ("three_layer_relu_bias", "ladder", "index"):
            assert serious(page) == []  # the other pages are made of the same pieces
        if name in gallery.GALLERY:
            left, right = page.locator("#loss .pair > div").all()
            boxes = left.bounding_box(), right.bounding_box()
            beside = boxes[0]["y"] == boxes[1]["y"]  # else one below the other
            assert beside == (width == 1280)


@pytest.mark.slow
def test_pages_can_be_read_without_scripts(site, visit):
    page, trouble = visit(site / "two_layer_relu.html", scripts=False)
    assert trouble == []
    assert page.locator("#verdict").is_visible()
    assert page.locator("#grad_w1 math").is_visible()


def test_nothing_but_lessons_is_written_over(handgrad, tmp_path):
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
    ("lesson", "--notebook", "a.ipynb"): "A notebook is of one network",
    ("lesson", "ladder", "--notebook", "a.ipynb"): "no network 'ladder'",
}


@pytest.mark.parametrize(("arguments", "words"), BAD.items(), ids=map(" ".join, BAD))
def test_bad_input_is_one_sentence(handgrad, monkeypatch, tmp_path, arguments, words):
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("mine")
    code, out, err = handgrad(*arguments)
    assert (code, out) == (2, "")
    assert words in err
    assert err.count("\n") == 1
