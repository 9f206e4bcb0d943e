import json
import subprocess
import sys
from pathlib import Path

import pytest

from handgrad.errors import InputError
from handgrad.load import file
from handgrad.load.file import opened
from handgrad.pipeline import check

RIGHT = ("match", "yours")
TEMPLATE = Path(file.__file__).with_name("template_torch.py").read_text()


def check_file(path):
    """Check a file; what is wrong with it is raised."""
    with opened(path) as networks:
        (load,) = networks
        return check(load())


@pytest.fixture
def write(tmp_path):
    """Give a function that writes the template with one thing changed, and returns its path."""

    def change(old="", new="", name="mine.py"):
        assert old in TEMPLATE
        path = tmp_path / name
        path.write_text(TEMPLATE.replace(old, new, 1) if old else TEMPLATE)
        return path

    return change


def test_the_template_is_right(write):
    report = check_file(write())
    assert report.ok
    assert {f.verdict for f in report.findings} == {"match"}
    assert report.notes == [
        "Paired: w1 = h1.weight.T, b1 = h1.bias, w2 = y_pred.weight.T, b2 = y_pred.bias"
    ]


def test_the_line_of_a_mistake_is_named(write):
    path = write("grad_w2 = h1_tanh.T @", "grad_w2 = -h1_tanh.T @")
    report = check_file(path)
    assert report.first == "grad_w2"
    number = (
        path.read_text().split("\n").index("    grad_w2 = -h1_tanh.T @ grad_y_pred  # (h1, d_out)")
    )
    assert f"mine.py:{number + 1}: grad_w2 = -h1_tanh.T @ grad_y_pred" in str(report)
    assert "sign" in str(report)


def test_params_in_another_order_and_by_other_names_are_paired_in_order(write):
    source = TEMPLATE
    for old, new in (("w1", "first"), ("b1", "first_bias"), ("w2", "second"), ("b2", "last_bias")):
        source = source.replace(f'"{old}"', f'"{new}"').replace(f'"grad_{old}"', f'"grad_{new}"')
    path = write()
    path.write_text(source)
    report = check_file(path)
    assert report.ok
    assert "first = h1.weight.T, first_bias = h1.bias" in report.notes[0]


def test_without_a_reference_backward_is_held_against_forward(write):
    right = check_file(write("reference = Net()", ""))
    assert right.ok
    assert "Whether that is the network that was meant" in right.notes[-1]
    path = write("(1 - h1_tanh**2)", "(1 - h1_tanh)")
    path.write_text(path.read_text().replace("reference = Net()", ""))
    alone = check_file(path)
    assert not alone.ok
    assert {f.name for f in alone.findings if f.verdict == "wrong"} == {"grad_h1"}


def test_nothing_is_written_beside_the_file_and_the_path_is_put_back(write, tmp_path):
    (tmp_path / "neighbour.py").write_text("SCALE = 2.0\n")
    path = write("import numpy as np", "import numpy as np\nfrom neighbour import SCALE")
    before = list(sys.path)
    assert check_file(path).ok
    assert sys.path == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mine.py", "neighbour.py"]


BAD = {
    "syntax": ("def forward(", "def forward((", "line 3.*not Python"),
    "raises": ("reference = Net()", "reference = 1 / 0", "line 7.*ZeroDivisionError"),
    "exits": ("reference = Net()", "raise SystemExit", "SystemExit"),
    "in forward": ("h1_tanh = np.tanh(h1)", "h1_tanh = np.tan(h2)", "forward, line 3.*NameError"),
    "in backward": ("grad_h1 = grad", "grad_h1 = 1 + 'a' + grad", "backward, line 4.*TypeError"),
    "no forward": ("def forward(", "def forwards(", "no function forward"),
    "no backward": ("def backward(", "def backwards(", "no function backward"),
    "init": ("return params, x, y", "return params", "init must return params, x, y, found dict"),
    "list": ("    h1_tanh, y_pred =", "    return []\n    h1_tanh, y_pred =",
             "backward must return a dict from names to arrays, found list"),
    "no loss": ('"y_pred": y_pred, "loss": loss', '"y_pred": y_pred', "must return `loss`"),
    "text": ('"grad_w2": grad_w2', '"grad_w2": "grad_w2"', "`grad_w2` of backward must be"),
    "name": ('"grad_w2": grad_w2', '"grad_w22": grad_w2', "grad_w22.*did you mean grad_w2"),
    "module": ("reference = Net()", "reference = 3", "must be an nn.Module"),
    "fewer": ('"b2": rng.standard_normal(2),', '"b2": np.zeros(2), "b3": np.zeros(2),', "names"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "words"), BAD.values(), ids=BAD)
def test_what_is_wrong_with_a_file_is_one_sentence(write, old, new, words):
    with pytest.raises(InputError, match=words) as caught:
        check_file(write(old, new))
    assert "\n" not in str(caught.value)
    assert "mine.py" in str(caught.value) or "reference" in str(caught.value)


def test_a_path_that_is_no_derivation_is_one_sentence(tmp_path):
    with pytest.raises(InputError, match="There is no file"):
        check_file(tmp_path / "none.py")
    with pytest.raises(InputError, match=r"neither a Python file \(.py\) nor a notebook"):
        check_file(tmp_path / "data.csv")
    (tmp_path / "folder.py").mkdir()
    with pytest.raises(InputError, match="is a folder, a pipe or a device"):
        check_file(tmp_path / "folder.py")
    (tmp_path / "binary.py").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not a text file"):
        check_file(tmp_path / "binary.py")


def test_new_writes_a_file_that_checks_and_never_overwrites(handgrad, tmp_path):
    path = tmp_path / "mine.py"
    code, out, _ = handgrad("new", path, "--torch")
    assert code == 0
    assert f"handgrad check {path}" in out
    assert path.read_text() == TEMPLATE
    path.write_text("mine")
    code, _, err = handgrad("new", path)
    assert (code, path.read_text()) == (2, "mine")
    assert "is there already" in err
    assert handgrad("new", tmp_path / "no" / "folder.py")[0] == 2


def test_the_command_line_checks_a_file(handgrad, write):
    code, out, _ = handgrad("check", write())
    assert code == 0
    assert "All 15 quantities match" in out
    code, out, _ = handgrad(
        "check", write("grad_w1 = x.T @ grad_h1", "grad_w1 = 2 * x.T @ grad_h1")
    )
    assert code == 1
    assert "factor: `grad_w1` is 2" in out
    code, out, err = handgrad("check", write("def forward(", "def forwards("))
    assert (code, out) == (2, "")
    assert err.startswith("Error: ")
    assert err.count("\n") == 1


def test_a_files_prints_go_to_stderr_where_json_is_asked_for(handgrad, write):
    path = write("import numpy as np", "import numpy as np\nprint('hello from mine')")
    code, out, err = handgrad("check", path, "--json")
    assert code == 0
    assert "hello from mine" in err
    run = json.loads(out)["runs"][0]
    assert (run["variant"], run["verdict"]) == ("mine.py", "match")


@pytest.mark.slow
def test_a_file_that_loops_can_be_interrupted(write):
    path = write("import numpy as np", "import signal\nsignal.raise_signal(signal.SIGINT)")
    # a process that is started in the background ignores the signal: listen to it again
    run = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from handgrad.cli.main import main; main()"
    )
    command = [sys.executable, "-c", run, "check", str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 130
    assert done.stderr == "Interrupted.\n"


def test_several_files_are_all_judged_and_the_exit_code_is_the_worst(handgrad, write):
    right = write()
    wrong = write("grad_w1 = x.T @ grad_h1", "grad_w1 = 2 * x.T @ grad_h1", "wrong.py")
    broken = write("def forward(", "def forwards(", "broken.py")
    code, out, err = handgrad(broken, wrong, "none.py", right)
    assert code == 2
    assert "factor: `grad_w1` is 2" in out
    assert "All 15 quantities match" in out
    assert err.splitlines() == [
        f"Error: {broken} has no function forward: it needs forward(params, x, y) and "
        "backward(params, x, y, values), see `handgrad new`.",
        "Error: There is no file none.py.",
    ]
    assert handgrad(wrong, right)[0] == 1


def test_json_has_what_could_not_be_judged(handgrad, write):
    broken = write("reference = Net()", "raise SystemExit(0)", "broken.py")
    code, out, err = handgrad(write(), broken, "--json")
    assert code == 2
    right, other = json.loads(out)["runs"]
    assert (right["verdict"], right["error"]) == ("match", None)
    assert (other["source"], other["verdict"]) == (str(broken), "error")
    assert other["error"] in err
    assert other["quantities"] == []
    assert right["source"].endswith("mine.py")


def test_a_file_may_have_several_inputs(handgrad, write):
    path = write("return params, x, y", "return params, (x[:, :2], x[:, 2:]), y")
    source = path.read_text()
    for old, new in (
        ("h1 = x @", "h1 = np.hstack(x) @"),
        ("grad_w1 = x.T @", "grad_w1 = np.hstack(x).T @"),
        ("def forward(self, x):", "def forward(self, x1, x2):"),
        ("self.h1(x)", "self.h1(torch.hstack([x1, x2]))"),
        ("import numpy as np", "import numpy as np\nimport torch"),
    ):
        assert old in source
        source = source.replace(old, new, 1)
    path.write_text(source)
    code, out, _ = handgrad(path)
    assert code == 0, out
    assert "All 15 quantities match" in out


LEFT_OUT = {
    "shape": ('"grad_w1": grad_w1', '"grad_w1": grad_w1.T', {"grad_w1": "wrong"}),
    "nan": ('"grad_b1": grad_b1', '"grad_b1": grad_b1 * np.nan', {"grad_b1": "wrong"}),
    "missing": (
        "    grad_w1 = x.T @ grad_h1  # (d_in, h1)\n",
        "    grad_w1 = None\n",
        {"grad_w1": "missing"},
    ),
}


@pytest.mark.parametrize(("old", "new", "verdicts"), LEFT_OUT.values(), ids=LEFT_OUT)
def test_without_a_reference_no_gradient_is_passed_over(write, old, new, verdicts):
    path = write(old, new)
    path.write_text(path.read_text().replace("reference = Net()", ""))
    report = check_file(path)
    assert {
        f.name: f.verdict for f in report.findings if f.verdict not in ("match", "yours")
    } == verdicts
    assert report.ok == ("wrong" not in verdicts.values())


def test_without_a_reference_and_a_gradient_nothing_can_be_judged(write):
    path = write("    h1_tanh, y_pred =", "    return {}\n    h1_tanh, y_pred =")
    path.write_text(path.read_text().replace("reference = Net()", ""))
    with pytest.raises(InputError, match="no gradient was found"):
        check_file(path)


TWO_INPUTS = """
import numpy as np

def init(rng):
    x = {"left": rng.standard_normal((4, 3)), "right": rng.standard_normal((4, 2))}
    return {"w": rng.standard_normal((3, 2))}, x, rng.standard_normal((4, 2))

def forward(params, x, y):
    out = x["left"] @ params["w"] + x["right"]
    return {"out": out, "loss": np.square(out - y).sum()}

def backward(params, x, y, values):
    grad_out = 2 * (values["out"] - y)
    return {"grad_out": grad_out, "grad_w": x["left"].T @ grad_out}
"""


def test_inputs_in_a_dict_stay_a_dict_without_a_reference(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(TWO_INPUTS)
    assert check_file(path).ok
    path.write_text(TWO_INPUTS.replace('x["left"].T @', '-x["left"].T @'))
    assert check_file(path).first == "grad_w"
