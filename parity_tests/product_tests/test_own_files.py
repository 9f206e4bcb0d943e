"""Files whose reference is their own forward pass, in whatever way they give and take arrays."""

import json

import numpy as np
import pytest

from handgrad.load import file
from handgrad.load.file import opened
from handgrad.pipeline import check_file

TEMPLATE = file.Path(file.__file__).with_name("template.py").read_text(encoding="utf-8")
GRADS = '{"w1": grad_w1, "b1": grad_b1, "w2": grad_w2, "b2": grad_b2}'
RIGHT = {f"grad_{name}": "match" for name in ("w1", "b1", "w2", "b2")}


@pytest.fixture
def judged(tmp_path):
    """Give a function that checks the template with some of its parts changed: the report."""

    def check(*changes, source=TEMPLATE):
        for old, new in changes:
            assert old in source, old
            source = source.replace(old, new)
        path = tmp_path / "mine.py"
        path.write_text(source, encoding="utf-8")
        (report,) = check_file(path)
        return report

    return check


def wrong_findings(report):
    """Return the findings that are wrong."""
    return [finding for finding in report.findings if finding.verdict == "wrong"]


def verdicts(report):
    """Return the verdict of each gradient of a report that has no error."""
    assert report.error is None
    return {f.name: f.verdict for f in report.findings if f.kind == "gradient"}


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


@pytest.mark.parametrize(
    "returned",
    [
        '{"grad_w1": grad_w1, "grad_b1": grad_b1, "grad_w2": grad_w2, "grad_b2": grad_b2}',
        '{"dW1": grad_w1, "db1": grad_b1, "dW2": grad_w2, "db2": grad_b2}',
        '{"w1_grad": grad_w1, "b1_grad": grad_b1, "w2_grad": grad_w2, "b2_grad": grad_b2}',
        "grad_w1, grad_b1, grad_w2, grad_b2",
        "[grad_w1, grad_b1, grad_w2, grad_b2]",
        "(grad_w2, grad_w1), grad_b1, grad_b2",
        f'{{"grads": {GRADS}}}',
        "None",
    ],
)
@pytest.mark.parametrize("factor", ["", "-"])
def test_gradients_come_back_in_any_way(judged, returned, factor):
    report = judged(
        (f"return {GRADS}", f"return {returned}"), ("grad_w2 = h1", f"grad_w2 = {factor}h1")
    )
    found = verdicts(report)
    assert len(found) == 7
    wrong = {name.lower() for name, verdict in found.items() if verdict != "match"}
    assert wrong <= {"grad_w2", "dw2", "w2_grad"}
    assert len(wrong) == len(factor)


def test_a_tuple_is_in_the_order_of_the_parameters(judged):
    anonymous = [(f"grad_{name}", f"part{n}") for n, name in enumerate(("w1", "b1", "w2", "b2"))]
    tuples = (f"return {GRADS}", "return grad_w1, grad_b1, grad_w2, grad_b2")
    right = verdicts(judged(tuples, *anonymous))
    assert {right[f"part{n}"] for n in range(4)} == {"match"}
    assert judged(tuples, *anonymous, ("part2 = h1", "part2 = 3 * h1")).first == "part2"


def test_parameters_lie_in_lists_and_dicts(judged):
    nested = [
        ('"w1": rng.standard_normal((5, 4)),\n        "b1": rng.standard_normal(4),', '"first": ['),
        ('"w2": rng.standard_normal((4, 2)),', "rng.standard_normal((5, 4)),"),
        ('"b2": rng.standard_normal(2),', "rng.standard_normal(4)],"),
        ("    return params, x, y", "    params['out'] = {'w': rng.standard_normal((4, 2))}\n"
         "    params['out']['b'] = rng.standard_normal(2)\n    return params, x, y"),
        ('params["w1"]', 'params["first"][0]'),
        ('params["b1"]', 'params["first"][1]'),
        ('params["w2"]', 'params["out"]["w"]'),
        ('params["b2"]', 'params["out"]["b"]'),
        (GRADS, '{"first": [grad_w1, grad_b1], "out": {"w": grad_w2, "b": grad_b2}}'),
    ]  # fmt: skip
    right = judged(*nested)
    assert len(verdicts(right)) == 7
    assert set(verdicts(right).values()) == {"match"}
    parameters = {f.name for f in right.findings if f.kind == "parameter"}
    assert parameters == {"first[0]", "first[1]", "out.w", "out.b"}
    assert judged(*nested, ("grad_b2 = grad_y", "grad_b2 = 2 * grad_y")).first == "grad_b2"


@pytest.mark.parametrize(
    ("made", "first", "second"),
    [
        ("x, 2 * x", "x[0]", "x[1]"),
        ("{'one': x, 'two': 2 * x}", "x['one']", "x['two']"),
    ],
)
def test_there_may_be_several_inputs(judged, made, first, second):
    inputs = [
        ("return params, x, y", f"return params, ({made}), y"),
        ("h1 = x @", f"h1 = ({first} + {second}) @"),
        ("x.T @ grad_h1", f"({first} + {second}).T @ grad_h1"),
    ]
    assert verdicts(judged(*inputs)).items() >= RIGHT.items()
    wrong = judged(*inputs, (f"({first} + {second}).T", f"{first}.T"))
    assert verdicts(wrong)["grad_w1"] == "wrong"


def test_there_may_be_no_targets(judged):
    report = judged(
        ("return params, x, y", "return params, x, None"),
        ("np.square(y_pred - y)", "np.square(y_pred)"),
        ("2.0 * (y_pred - y)", "2.0 * y_pred"),
    )
    assert verdicts(report).items() >= RIGHT.items()


@pytest.mark.parametrize(
    "drawn",
    [
        "def init():\n    rng = np.random.default_rng(3)",
        "def init(rng=np.random.RandomState(0)):",
        "def init(generator):\n    rng = generator",
    ],
)
def test_init_takes_what_it_likes(judged, drawn):
    assert verdicts(judged(("def init(rng):", drawn))).items() >= RIGHT.items()


@pytest.mark.parametrize(
    "returned",
    [
        "{'loss': loss, 'cache': (h1_tanh, y_pred)}",
        "(h1_tanh, y_pred), loss",
        "loss, h1_tanh, y_pred",
        "h1_tanh, y_pred",
        "[loss, [h1_tanh, y_pred]]",
    ],
)
def test_the_loss_is_found(judged, returned):
    unpacked = {
        "{": "h1_tanh, y_pred = cache['cache']",
        "(": "(h1_tanh, y_pred), _ = cache",
        "l": "_, h1_tanh, y_pred = cache",
        "h": "h1_tanh, y_pred = cache",
        "[": "_, (h1_tanh, y_pred) = cache",
    }[returned[0]]
    right = judged(
        ("return loss, (h1_tanh, y_pred)", f"return {returned}"),
        ("    h1_tanh, y_pred = cache", "    h1_tanh, y_pred = took(cache)"),
        (
            "def backward",
            f"def took(cache):\n    {unpacked}\n    return h1_tanh, y_pred\n\n\ndef backward",
        ),
    )
    assert verdicts(right).items() >= RIGHT.items()
    (loss,) = (f for f in right.findings if f.kind == "loss")
    assert loss.verdict == "yours"


def test_where_there_is_no_loss_the_first_gradient_is_taken_as_it_is(judged):
    changes = [
        ("    loss = np.square(y_pred - y).sum()  # a number\n", ""),
        ("return loss, (h1_tanh, y_pred)", "return h1_tanh, y_pred"),
    ]
    report = judged(*changes, ("2.0 * (y_pred - y)", "7.0 * (y_pred - y)"))
    assert verdicts(report).items() >= RIGHT.items()
    assert "There is no loss: `grad_y_pred` is taken as it is." in report.notes
    assert judged(*changes, ("= h1_tanh.T @", "= -h1_tanh.T @")).first == "grad_w2"


def test_no_loss_and_no_gradient_is_one_sentence(judged):
    report = judged(source="import numpy as np\n"
                    "def forward(params, x, y): return x * params['w']\n"
                    "def backward(params, x, y, out): return 0\n"
                    "params, x, y = {'w': np.ones(3)}, np.ones((2, 3)), np.ones(2)\n")  # fmt: skip
    assert str(report.error).endswith(
        "no loss was found, the number that is differentiated: assign it as `loss = ...`, and "
        "return it from forward."
    )


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
