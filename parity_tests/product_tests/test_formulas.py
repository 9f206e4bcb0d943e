"""The docstrings of the hand-written networks can be read by a program, and are true."""

import ast
import inspect
import re
from itertools import pairwise
from types import ModuleType
from xml.etree import ElementTree

import numpy as np
import pytest

from manual.three_layer_sigmoid_bias import sigmoid
from handgrad.load import gallery as variants
from handgrad.run.trace import manual_trace
from handgrad.lessons.formulas import FORMULA, derivation, inline, mathml

DERIVED = [*variants.VARIANTS, "three_layer_sigmoid_bias_printed"]

SYMBOL = re.compile(
    r"(?P<grad>\\nabla )?"
    r"(?:(?P<hat>\\hat y)|(?<![a-z])(?P<letter>[bhwxyL])(?P<number>_\d)?(?![a-z]))"
    r"(?P<activation>\^\\text\{\w+\})?"
)
PYTHON = [  # what TeX says, and how NumPy says it
    (r"\^\\top", ".T"),
    (r"\\odot", "*"),
    (r"\[(.*)\]", r"(\1)"),
    (r"\\max", "np.maximum"),
    (r"\\sigma", "sigmoid"),
    (r"\\sum_\\text\{rows\} (\w+)", r"\1.sum(axis=0)"),
    (r"\\sum \((.*)\)\^2", r"np.square(\1).sum()"),
    (r"\\text\{ones\}", "ones"),
    (r"\\,", ""),
    (r"2 \(", "2 * ("),
    (r"(?<=[\w)]) +(?=[a-z(])", " @ "),  # side by side
]

DOCSTRING = r"""A network.

Forward, as drawn:

    h     $h = x w$     (n, d)
    loss  $L = \sum h$  a number

Backward, from the end:

1. The slope of a sum is 1:
      grad_h  $\nabla h = 1$
2. A product:
      grad_w  $\nabla w = x^\top \nabla h$
"""


@pytest.fixture(params=DERIVED)
def name(request):
    return request.param


def run(name):
    """Return the sizes of a small run, and all its arrays by name."""
    sizes = {**variants.sizes(name), "n": 7, "d_out": 3}
    params, x, y = variants.draw(name, **sizes)
    trace = manual_trace(variants.manual_side(name), params, x, y)
    return sizes, {**trace, "x": x, "y": y}


def in_code(symbol):
    """Return the name of a symbol in the code."""
    letter = "y_pred" if symbol["hat"] else symbol["letter"].replace("L", "loss")
    activation = re.sub(r"\^\\text\{(\w+)\}", r"_\1", symbol["activation"] or "")
    number = (symbol["number"] or "").removeprefix("_")
    return ("grad_" if symbol["grad"] else "") + letter + number + activation


def as_python(tex):
    """Return TeX as a Python expression."""
    code = SYMBOL.sub(in_code, tex)
    for pattern, replacement in PYTHON:
        code = re.sub(pattern, replacement, code)
    return code


def lines_of_code(network):
    """Return the right-hand side of each name's first assignment in a module."""
    lines: dict[str, str] = {}
    for node in ast.walk(ast.parse(inspect.getsource(network))):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            lines.setdefault(node.targets[0].id, ast.unparse(node.value))
    return lines


def broken(old, new):
    """Return a module whose docstring is DOCSTRING with a mistake in it."""
    assert old in DOCSTRING
    return ModuleType("mine", DOCSTRING.replace(old, new))


def test_formulas_are_the_quantities_in_the_order_of_computing(name):
    network = variants.manual_side(name)
    params, x, y = variants.draw(name)
    values = network.forward(params, x, y)
    gradients = network.backward(params, x, y, values)
    found = derivation(network)
    assert list(found.formulas) == [*values, *gradients]
    assert [gradient for _, covered in found.steps for gradient in covered] == list(gradients)
    assert all(covered for _, covered in found.steps)


def test_a_formula_says_what_its_line_of_code_says(name):
    sizes, arrays = run(name)
    rng = np.random.default_rng(0)  # the arrays of the run may be equal, these are not
    arrays = {quantity: rng.standard_normal(np.shape(array)) for quantity, array in arrays.items()}
    known = {"np": np, "sigmoid": sigmoid, "ones": np.ones((sizes["n"], 1))}
    network = variants.manual_side(name)
    lines = lines_of_code(network)
    for quantity, tex in derivation(network).formulas.items():
        left, right = tex.split(" = ")
        assert as_python(left) == quantity
        said, done = eval(as_python(right), known, arrays), eval(lines[quantity], known, arrays)
        assert np.allclose(np.squeeze(said), np.squeeze(done), rtol=1e-9, atol=0), tex


def test_a_shape_is_the_shape_that_the_code_computes(name):
    sizes, arrays = run(name)
    lines = re.findall(rf"^ +{FORMULA.pattern}$", variants.manual_side(name).__doc__, re.MULTILINE)
    shapes = {quantity: shape.strip() for quantity, _, shape in lines if shape}
    assert "loss" in shapes
    for quantity, shape in shapes.items():
        assert eval(shape.replace("a number", "()"), {}, sizes) == np.shape(arrays[quantity])


def test_formulas_and_prose_become_well_formed(name):
    found = derivation(variants.manual_side(name))
    for tex in found.formulas.values():
        assert ElementTree.fromstring(mathml(tex)).tag.endswith("math")
        assert "\\" not in mathml(tex)
    for text in (*found[:2], found.forward, found.backward, *dict(found.steps), *found.notes):
        ElementTree.fromstring(f"<p>{inline(text)}</p>")
        assert not set(inline(text)) & set("\\$`")


def test_what_is_new_is_against_the_one_before():
    for before, name in pairwise(DERIVED):
        assert derivation(variants.manual_side(name)).new.startswith(f"New against `{before}`: ")
    assert derivation(variants.manual_side(DERIVED[0])).new == ""


def test_the_parts_of_a_docstring():
    note = "\nThe notebook does\nit in `x`.\n\nNothing else.\n"
    found = derivation(ModuleType("mine", DOCSTRING + note))
    assert found.title == "A network"
    assert found.forward == "As drawn:"
    assert found.formulas["grad_w"] == r"\nabla w = x^\top \nabla h"
    assert found.backward == "From the end:"
    assert found.steps == [
        ("The slope of a sum is 1:", ["grad_h"]),
        ("A product:", ["grad_w"]),
    ]
    assert found.notes == ["The notebook does it in `x`."]


def test_a_docstring_without_a_part_is_one_clear_error():
    with pytest.raises(ValueError, match=r"^The docstring of mine is missing\.$"):
        derivation(ModuleType("mine"))
    with pytest.raises(ValueError, match=r"of mine has no paragraph that starts with 'Backward'"):
        derivation(broken("Backward", "Then"))
    with pytest.raises(ValueError, match=r"of mine has no numbered steps"):
        derivation(ModuleType("mine", DOCSTRING.replace("1. ", "").replace("2. ", "")))


@pytest.mark.parametrize("mistake", ["h = x w", "$h = x w", "$h = x w$ as above", "$$"])
def test_a_broken_formula_is_one_clear_error(mistake):
    with pytest.raises(ValueError, match=r"of mine .* is no formula: `h ") as caught:
        derivation(broken("$h = x w$", mistake))
    assert f" {mistake} " in str(caught.value)


def test_a_name_given_twice_is_one_clear_error():
    with pytest.raises(ValueError, match=r"^The docstring of mine gives grad_h twice\.$"):
        derivation(broken("grad_w", "grad_h"))


def test_prose_is_escaped():
    assert inline("a < b & `c<d>`") == "a &lt; b &amp; <code>c&lt;d&gt;</code>"
    assert inline("so $x$!") == f"so {mathml('x')}!"
