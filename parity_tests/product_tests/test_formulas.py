"""The docstrings of the hand-written networks can be read by a program, and are true."""

import ast
import inspect
import re
from types import ModuleType
from xml.etree import ElementTree

import numpy as np
import pytest

from handgrad.lessons.formulas import FORMULA, derivation, inline, mathml
from handgrad.load import gallery

DERIVED = [*gallery.GALLERY, "three_layer_sigmoid_bias_printed"]

SYMBOL = re.compile(
    r"(?P<grad>\\nabla )?"
    r"(?:(?P<hat>\\hat y)|"
    r"(?<![a-z])(?P<letter>\\gamma|\\beta|[bhLstwxyz])(?P<number>_\d)?(?![a-z]))"
    r"(?P<activation>\^\\text\{\w+\})?"
)
LETTERS = {"L": "loss", "s": "scores", "t": "total"}  # the others are the same in the code
PYTHON = [  # what TeX says, and how NumPy says it
    (r"\^\\top", ".T"),
    (r"\\odot", "*"),
    (r"\[k = y\]", "(k == y[:, None])"),
    (r"\[(\w+ > 0)\]", r"(\1)"),
    (r"\\max", "np.maximum"),
    (r"\\tanh", "np.tanh"),
    (r"\\sigma", "sigmoid"),
    (r"\\mu", "mean"),
    (r"\\sqrt\{(.*)\}", r"np.sqrt(\1)"),
    (r"\\epsilon", "epsilon"),
    (r"10\^\{(-\d)\}", r"1e\1"),
    (r"\\log \\sum_\\text\{classes\} e\^(\w+)", r"np.log(np.exp(\1).sum(axis=1))"),
    (r"scores_y", "scores[np.arange(len(y)), y]"),
    (r"\\sum_\\text\{rows\} (.*)", r"(\1).sum(axis=0)"),
    (r"\\sum \((.*)\)\^2", r"np.square(\1).sum()"),
    (r"\\sum \((.*)\)$", r"(\1).sum()"),
    (r"\^2", "**2"),
    (r"\\text\{(\w+)\}", r"\1"),
    (r"\\,", ""),
    (r"2 \(", "2 * ("),
    (r"(?<=[\w)]) +(?=[a-z(])", " @ "),  # side by side
]
FUNCTIONS = {  # what the formulas call by name, as a textbook has it
    "np": np,
    "sigmoid": lambda h: 1 / (1 + np.exp(-h)),
    "softmax": lambda scores: np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True),
    "mean": lambda q: q.mean(axis=1, keepdims=True),
}

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


class Evaluated(dict):
    """Arrays by name, and what `code`, expressions by name, computes from them when asked for."""

    def __init__(self, arrays, code, functions):
        super().__init__(arrays)
        self.code, self.functions = code, functions

    def __missing__(self, name):
        return self.evaluate(self.code[name])

    def evaluate(self, expression):
        return eval(expression, dict(self.functions), self)


def run(name):
    """Return the sizes of a small run, and all its arrays by name."""
    sizes = {size: {"n": 7, "d_out": 3}.get(size, n) for size, n in gallery.sizes_of(name).items()}
    network = gallery.manual_side(name)
    params, x, y = gallery.draw(name, sizes=sizes)
    values = network.forward(params, x, y)
    gradients = network.backward(params, x, y, values)
    return sizes, {**params, **values, **gradients, "x": x, "y": y}


def in_code(symbol):
    """Return the name of a symbol in the code."""
    letter = "y_pred" if symbol["hat"] else symbol["letter"].removeprefix("\\")
    letter = LETTERS.get(letter, letter)
    activation = re.sub(r"\^\\text\{(\w+)\}", r"_\1", symbol["activation"] or "")
    number = (symbol["number"] or "").removeprefix("_")
    return ("grad_" if symbol["grad"] else "") + letter + number + activation


def as_python(tex):
    """Return TeX as a Python expression."""
    code = SYMBOL.sub(in_code, tex)
    for pattern, replacement in PYTHON:
        code = re.sub(pattern, replacement, code)
    return code


def definitions(network):
    """Return what the text of a docstring defines, as Python expressions by name."""
    found: dict[str, str] = {}
    for tex in network.__doc__.split("$")[1::2]:
        left, equals, right = tex.partition(" = ")
        if equals:
            found.setdefault(as_python(left), as_python(right))
    return found


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
    network = gallery.manual_side(name)
    params, x, y = gallery.draw(name)
    values = network.forward(params, x, y)
    gradients = network.backward(params, x, y, values)
    found = derivation(network)
    assert list(found.formulas) == [*values, *gradients]
    assert [gradient for _, covered in found.steps for gradient in covered] == list(gradients)
    assert all(covered for _, covered in found.steps)


def test_a_formula_says_what_its_line_of_code_says(name):
    sizes, arrays = run(name)
    rng = np.random.default_rng(0)  # the arrays of the run may be equal, these are not
    drawn = {quantity: rng.standard_normal(np.shape(array)) for quantity, array in arrays.items()}
    if arrays["y"].dtype.kind == "i":
        drawn["y"] = arrays["y"]  # labels
    network = gallery.manual_side(name)
    constants = {"ones": np.ones((sizes["n"], 1)), "k": np.arange(sizes.get("classes", 0))}
    said = Evaluated(drawn, definitions(network), {**FUNCTIONS, **constants})
    done = Evaluated(drawn, lines_of_code(network), vars(network))
    for quantity, tex in derivation(network).formulas.items():
        left, right = tex.split(" = ", 1)
        assert as_python(left) == quantity
        ours, theirs = said.evaluate(as_python(right)), done.evaluate(done.code[quantity])
        assert np.allclose(np.squeeze(ours), np.squeeze(theirs), rtol=1e-9, atol=0), tex


def test_a_shape_is_the_shape_that_the_code_computes(name):
    sizes, arrays = run(name)
    lines = re.findall(rf"^ +{FORMULA.pattern}$", gallery.manual_side(name).__doc__, re.MULTILINE)
    shapes = {quantity: shape.strip() for quantity, _, shape in lines if shape}
    assert "loss" in shapes
    for quantity, shape in shapes.items():
        assert eval(shape.replace("a number", "()"), {}, sizes) == np.shape(arrays[quantity])


def test_formulas_and_prose_become_well_formed(name):
    found = derivation(gallery.manual_side(name))
    for tex in found.formulas.values():
        assert ElementTree.fromstring(mathml(tex)).tag.endswith("math")
        assert "\\" not in mathml(tex)
    for text in (*found[:2], found.forward, found.backward, *dict(found.steps), *found.notes):
        ElementTree.fromstring(f"<p>{inline(text)}</p>")
        assert not set(inline(text)) & set("\\$`")


def test_what_is_new_is_against_one_before():
    assert derivation(gallery.manual_side(DERIVED[0])).new == ""
    for number, name in enumerate(DERIVED[1:], 1):
        new = derivation(gallery.manual_side(name)).new
        assert new.startswith(tuple(f"New against `{before}`: " for before in DERIVED[:number]))


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
