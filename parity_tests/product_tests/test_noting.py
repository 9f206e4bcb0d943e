"""The names that a user's code assigns, noted in order with their lines."""

import linecache
from itertools import count
from typing import Any

import numpy as np
import pytest

from handgrad.run.noting import Tape, noting

NUMBERS = count()
AT_END = ("t", 1)  # a loop's own variable is looked up once more where the loop ends


def noted(source, call=None):
    """Run a source, and return what it assigns; with `call`, what that function of it does."""
    filename = f"<noted {next(NUMBERS)}>"
    linecache.cache[filename] = len(source), None, source.splitlines(True), filename
    namespace: dict[str, Any] = {"np": np}
    tape = Tape()
    code = compile(source, filename, "exec")
    if call is None:
        with noting(filename.__eq__, tape.note):
            exec(code, namespace)
    else:
        exec(code, namespace)
        with noting(filename.__eq__, tape.note):
            namespace[call]()
    return list(tape.notes.values())


def names(source, call=None):
    """Return the names and the lines that a source assigns."""
    return [(note.name, note.line) for note in noted(source, call)]


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("a = 1\nb = a", [("a", 1), ("b", 2)]),
        ("a = b = 1", [("a", 1), ("b", 1)]),
        ("a, (b, *c) = 1, (2, 3)", [("a", 1), ("b", 1), ("c", 1)]),
        ("a: float = 1\nb: float", [("a", 1)]),
        ("a = 1\na += 1", [("a", 1), ("a", 2)]),
        ("h = [0, 0]\nh[1] = 5", [("h", 1), ("h[1]", 2), ("h", 2)]),
        ("h = np.zeros((2, 2))\nh[0, 1] = 5", [("h", 1), ("h[(0,1)]", 2), ("h", 2)]),
        ("h = np.zeros(2)\nh[h < 1] = 5", [("h", 1), ("h", 2)]),
        ("h = np.zeros(2)\nh[1:] = 5", [("h", 1), ("h", 2)]),
        ("h = np.zeros(2)\nh[np.argmax(h)] = 5", [("h", 1), ("h", 2)]),
        ("g = {}\ng['w1'] = 5", [("g", 1), ("w1", 2), ("g", 2)]),
        ("g = {'a': {}}\ng['a']['w'] = 5", [("g", 1), ("w", 2), ("g", 2)]),
        ("g = {}\ng['dW' + str(1)] = 5", [("g", 1), ("dW1", 2), ("g", 2)]),
        ("hs = []\nhs.append(7)\nhs.append(8)", [("hs", 1), ("hs[0]", 2), ("hs[1]", 3)]),
        ("d = np.zeros(3)\nnp.add.at(d, [1, 1], 1)", [("d", 1), ("d", 2)]),
        ("d = np.zeros(3)\nnp.exp(d, out=d)", [("d", 1), ("d", 2)]),
        ("a = (1\n     + 2\n     + 3)\nb = 1", [("a", 1), ("b", 4)]),
        ("for t in range(2):\n    h = t", [("t", 1), ("h", 2), ("t", 1), ("h", 2), AT_END]),
        ("a = [i for i in range(3)]\nb = 1", [("a", 1), ("b", 2)]),
        ("if True:\n    a = 1\nelse:\n    b = 1", [("a", 2)]),
        ("with np.errstate():\n    a = 1\nb = 2", [("a", 2), ("b", 3)]),
        ("print\na = 1; b = 2", [("a", 2), ("b", 2)]),
    ],
)
def test_what_a_source_assigns_is_noted_in_order(source, wanted):
    assert names(source) == wanted


def test_a_loop_notes_each_entry_with_what_it_is_then():
    source = "h = np.zeros(3)\nfor t in range(3):\n    h[t] = 10 * t\n"
    entries = [(n.name, float(n.value)) for n in noted(source) if n.name.startswith("h[")]
    assert entries == [("h[0]", 0), ("h[1]", 10), ("h[2]", 20)]


def test_a_note_keeps_the_array_as_it_was_and_the_array_itself():
    first, second = (n for n in noted("a = np.zeros(2)\na[:] = 3\n") if n.name == "a")
    assert first.value.tolist() == [0, 0]
    assert second.value.tolist() == [3, 3]
    assert first.given is second.given
    assert (first.is_partial, second.is_partial) == (False, True)


def test_a_key_knows_what_it_lies_in():
    one = next(n for n in noted("grads = {}\ngrads['w1'] = np.ones(2)\n") if n.name == "w1")
    assert one.container == "grads"


FUNCTIONS = """
def helper(x, scale=2, *, shift=1):
    y = scale * x + shift
    return y

class Layer:
    def forward(self, x):
        self.x = x
        out = helper(x)
        return out

first, second = Layer(), Layer()

def both():
    a = first.forward(1)
    b = second.forward(a)
"""


def test_functions_and_methods_are_followed_with_their_arguments():
    found = [(n.name, n.function, n.is_argument) for n in noted(FUNCTIONS, "both")]
    layer = [("self", "forward", True), ("x", "forward", True), ("x", "forward", False)]
    inside = [("x", "helper", True), ("scale", "helper", True), ("shift", "helper", True)]
    layer += [*inside, ("y", "helper", False), ("out", "forward", False)]
    assert found == [*layer, ("a", "both", False), *layer, ("b", "both", False)]


def test_a_method_knows_its_object():
    outs = [note for note in noted(FUNCTIONS, "both") if note.name == "out"]
    assert len(outs) == 2
    assert outs[0].owner is not outs[1].owner
    assert {type(note.owner).__name__ for note in outs} == {"Layer"}
    assert all(note.owner is None for note in noted(FUNCTIONS, "both") if note.name == "y")


def test_an_exception_that_is_caught_leaves_out_what_was_not_assigned():
    source = "try:\n    a = 1\n    b = [][a]\n    c = 1\nexcept IndexError:\n    d = 2\n"
    assert names(source) == [("a", 2), ("d", 6)]


def test_a_line_that_fails_the_second_time_is_not_noted_again():
    source = (
        "for t in range(2):\n    try:\n        a = [7][t]\n    except IndexError:\n        pass\n"
    )
    assert names(source) == [("t", 1), ("a", 3), ("t", 1), AT_END]


def test_a_generator_is_noted_as_it_goes_on():
    source = "def steps():\n    for t in range(2):\n        h = t\n        yield h\n"
    source += "def run():\n    for h in steps():\n        out = h\n"
    assert [name for name, _ in names(source, "run")] == [*["t", "h", "h", "out"] * 2, "t", "h"]


def test_recursion_has_each_calls_own_names():
    source = "def down(n):\n    a = n\n    if n:\n        b = down(n - 1)\n    return n\n"
    source += "def run():\n    down(2)\n"
    found = [(n.name, int(n.value)) for n in noted(source, "run") if n.name in "ab"]
    assert found == [("a", 2), ("a", 1), ("a", 0), ("b", 0), ("b", 1)]


def test_the_same_code_gives_the_same_numbers_on_other_data():
    source = "def run():\n    h = np.zeros(2)\n    for t in range(2):\n        h[t] = {}\n"
    one, other = (noted(source.format(value), "run") for value in ("1.0", "np.sin(t)"))
    assert [n[:1] + n[2:7] for n in one] == [
        (n.name, n.container, n.owner, n.function, m.filename, n.line)
        for n, m in zip(other, one, strict=True)
    ]


def test_code_of_others_is_not_noted_and_the_trace_function_is_put_back():
    import sys

    before = sys.gettrace()
    assert "np" not in [name for name, _ in names("a = np.linalg.norm(np.ones(3))\n")]
    with pytest.raises(ZeroDivisionError):
        noted("a = 1 / 0\n")
    assert sys.gettrace() is before


def test_a_tape_keeps_the_numbers_that_are_wanted():
    tape = Tape(wanted={1})
    for note in noted("a = 1\nb = 2\nc = 3\n"):
        tape.note(note)
    assert {number: note.name for number, note in tape.notes.items()} == {1: "b"}
    assert tape.count == 3
