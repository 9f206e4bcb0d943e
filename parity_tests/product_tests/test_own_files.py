"""Files whose reference is their own forward pass: functions, classes, what is told of them."""

import json

import numpy as np
import pytest

from handgrad.load.file import opened
from handgrad.pipeline import check_file
from parity_tests.product_tests.own_files import RIGHT, TEMPLATE, judged, verdicts, wrong_findings

__all__ = ["judged"]  # a fixture


def test_the_template_is_right_and_its_values_are_its_own(judged):
    report = judged()
    assert report.ok
    assert verdicts(report).items() >= RIGHT.items()
    assert verdicts(report).keys() >= {"grad_y_pred", "grad_h1_tanh", "grad_h1"}
    assert {f.verdict for f in report.findings if f.kind != "gradient"} == {"yours"}
    (note,) = report.notes
    assert "The reference is your own forward pass" in note


def test_a_mistake_is_placed_on_its_line_with_its_cause(judged):
    report = judged(("(1 - h1_tanh**2)", "(1 - h1_tanh)"))
    (wrong,) = wrong_findings(report)
    assert (wrong.name, wrong.cause.kind) == ("grad_h1", "wrong-derivative")
    assert wrong.line.code.startswith("grad_h1 = grad_h1_tanh * (1 - h1_tanh)")
    assert "Tanh is 1 - `h1_tanh`, where 1 - `h1_tanh`**2 is meant" in wrong.cause.message


def test_a_local_that_is_not_returned_is_judged_at_its_line(judged):
    report = judged(("grad_y_pred @ params", "-grad_y_pred @ params"))
    (wrong,) = wrong_findings(report)
    assert (wrong.name, wrong.cause.kind) == ("grad_h1_tanh", "sign")
    assert "grad_h1_tanh = -grad_y_pred @" in wrong.line.code
    assert verdicts(report)["grad_w1"] == "inherited"


CLASSES = """
import numpy as np

class Linear:
    def __init__(self, n, m, rng):
        self.w, self.b = rng.standard_normal((n, m)), rng.standard_normal(m)
    def forward(self, x):
        self.x = x
        out = x @ self.w + self.b
        return out
    def backward(self, dout):
        self.dw = self.x.T @ dout
        self.db = dout.sum(axis=0)
        dx = dout @ self.w.T
        return dx

class Tanh:
    def forward(self, x):
        self.out = np.tanh(x)
        return self.out
    def backward(self, dout):
        dx = dout * (1 - self.out ** 2)
        return dx

rng = np.random.default_rng(0)
x, y = rng.standard_normal((8, 3)), rng.standard_normal((8, 2))
layers = [Linear(3, 4, rng), Tanh(), Linear(4, 2, rng)]
out = x
for layer in layers:
    out = layer.forward(out)
loss = ((out - y) ** 2).sum()
grad = 2 * (out - y)
for layer in reversed(layers):
    grad = layer.backward(grad)
"""


def test_classes_keep_their_gradients(judged):
    report = judged(source=CLASSES)
    assert report.ok
    parameters = {f.name for f in report.findings if f.kind == "parameter"}
    assert parameters == {"x"} | {f"layers[{n}].{name}" for n in (0, 2) for name in "wb"}
    assert {name.partition(" ")[0] for name in verdicts(report)} >= {"dw", "db"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("self.x.T @ dout", "-self.x.T @ dout"),
        ("dout.sum(axis=0)", "dout.mean(axis=0)"),
        ("(1 - self.out ** 2)", "(1 - self.out)"),
        ("dout @ self.w.T", "2 * dout @ self.w.T"),
    ],
)
def test_a_mistake_in_a_class_is_on_its_line(judged, old, new):
    report = judged((old, new), source=CLASSES)
    wrong = wrong_findings(report)
    assert wrong
    assert all(new in f.line.code for f in wrong)


ONE = """
import numpy as np

rng = np.random.default_rng(0)
x, y, w = (rng.standard_normal(shape) for shape in ((5, 3), (5, 2), (3, 2)))

def both(w, x, y):
    out = x @ w
    loss = ((out - y) ** 2).sum()
    dout = 2 * (out - y)
    dw = x.T @ dout
    return loss, {"w": dw}

loss, grads = both(w, x, y)
"""


def test_one_function_may_make_both_passes(judged):
    assert verdicts(judged(source=ONE)) == {"dout": "match", "dw": "match"}
    wrong = judged(("x.T @ dout", "3 * x.T @ dout"), source=ONE)
    assert verdicts(wrong) == {"dout": "match", "dw": "wrong"}


def test_float32_data_are_judged_in_float64(judged):
    narrow = [
        ("return params, x, y", "return {n: w.astype('f') for n, w in params.items()}, "
         "x.astype('f'), y.astype('f')"),
    ]  # fmt: skip
    report = judged(*narrow)
    assert verdicts(report).items() >= RIGHT.items()
    wrong = judged(*narrow, ("(1 - h1_tanh**2)", "(1 - h1_tanh**2 - 1e-4)"))
    assert wrong.first == "grad_h1"


def test_a_forward_that_autograd_cannot_follow_is_one_sentence_with_its_line(judged):
    report = judged(("h1_tanh = np.tanh(h1)", "h1_tanh = np.tanh(h1.tobytes() and h1)"))
    number = next(n for n, line in enumerate(TEMPLATE.split("\n"), 1) if "np.tanh(h1)" in line)
    assert f"line {number}" in str(report.error)
    assert "\n" not in str(report.error)


def test_the_json_names_the_reference_and_the_lines(judged, handgrad, tmp_path):
    judged(("(1 - h1_tanh**2)", "(1 - h1_tanh)"))
    code, out, _ = handgrad("check", tmp_path / "mine.py", "--json")
    (run,) = json.loads(out)["runs"]
    assert (code, run["reference"], run["first"]) == (1, "forward", "grad_h1")
    by_name = {quantity["name"]: quantity for quantity in run["quantities"]}
    assert by_name["h1"]["verdict"] == by_name["w1"]["verdict"] == "yours"
    assert by_name["grad_h1"]["line"]["code"].startswith("grad_h1 = ")


@pytest.mark.parametrize(("options", "reference"), [([], "forward"), (["--torch"], "module")])
def test_new_writes_a_template_that_is_right(handgrad, tmp_path, options, reference):
    path = tmp_path / "mine.py"
    code, _, err = handgrad("new", path, *options)
    assert (code, err) == (0, "")
    (report,) = check_file(path)
    assert (report.ok, report.reference) == (True, reference)
    assert ("torch" in path.read_text(encoding="utf-8")) == bool(options)


def test_what_the_check_runs_leaves_the_arrays_as_they_are(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(TEMPLATE.replace("h1_tanh = np.tanh(h1)", "h1_tanh = np.tanh(h1, out=h1)"))
    with opened(path) as networks:
        network = networks[0]()
        before = {name: w.copy() for name, w in network.params.items()}
        values = network.forward(network.params, network.x, network.y)
        network.backward(network.params, network.x, network.y, values)
    assert all(np.array_equal(before[name], w) for name, w in network.params.items())


def test_what_the_passes_print_is_shown_once(judged, capsys):
    old = "def forward(params, x, y):\n"
    assert judged((old, old + '    print("forward runs")\n')).ok
    assert capsys.readouterr().out.count("forward runs") == 1


def test_a_sentence_on_an_exception_ends_with_one_full_stop(judged):
    old = "def forward(params, x, y):\n"
    report = judged((old, old + '    raise RuntimeError("Give up.")\n'))
    assert report.error.endswith("it raised RuntimeError: Give up.")
