import json
import math
import subprocess
import sys

import pytest
import torch

from handgrad.compare import repeat
from handgrad.load import gallery
from handgrad.load.gallery import GALLERY
from handgrad.run.reference import run_reference
from parity_tests.conftest import slow_but


@pytest.fixture
def sign_error(monkeypatch):
    """Make one gradient of three_layer_relu wrong."""
    side = gallery.manual_side("three_layer_relu")
    right = side.backward

    def wrong(params, x, y, values):
        grads = right(params, x, y, values)
        return {**grads, "grad_w2": -grads["grad_w2"]}

    monkeypatch.setattr(side, "backward", wrong)


@pytest.fixture
def cpu_alone(monkeypatch):
    """Hide the GPU, if there is one."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


def test_the_main_job_checks_every_variant_in_both_dtypes(handgrad, cpu_alone):
    code, out, err = handgrad()
    assert code == 0
    for name in GALLERY:
        rows = [line for line in out.splitlines() if line.startswith(f"{name} ")]
        assert [row.split()[2] for row in rows] == ["float64", "float32"]
        assert all(row.split()[-1] == "match" for row in rows)
    assert f"of {len(GALLERY)} variants in {2 * len(GALLERY)} comparisons" in out
    assert err == ""
    assert "\x1b" not in out  # no colour but on a terminal


def test_a_device_that_is_named_is_checked_in_all_that_it_computes_in(handgrad):
    code, out, _ = handgrad("two_layer_relu", "--device", "cpu")
    rows = [line.split()[1:3] for line in out.splitlines() if line.startswith("two_layer_relu ")]
    assert rows == [["cpu", dtype] for dtype in ("float64", "float32", "bfloat16")]
    assert "Settings on cpu in bfloat16: tf32 off, deterministic on." in out
    _, out, _ = handgrad("two_layer_relu", "--device", "cpu", "--dtype", "tf32")
    assert "Settings on cpu in tf32: tf32 imitated, deterministic on." in out
    assert code == 0


def test_repeated_runs_are_counted(handgrad, monkeypatch):
    arguments = ("two_layer_relu", "--dtype", "float64", "--device", "cpu", "--repeat", "3")
    code, out, _ = handgrad(*arguments, "-v")
    assert code == 0
    assert "Every repeated run gave the same bits." in out
    assert "distinct  verdict" in out

    def unsteady(*arguments, count=[0], right=run_reference):  # noqa: B006
        count[0] += 1
        found = right(*arguments)
        found.quantities["grad_w1"] *= 1 + count[0] * 2**-52
        return found

    monkeypatch.setattr(repeat, "run_reference", unsteady)
    _, out, _ = handgrad(*arguments)
    assert "varies from run to run: different results 3 of grad_w1." in out
    _, out, _ = handgrad(*arguments, "--json")
    counts = {q["name"]: q["distinct"] for q in json.loads(out)["runs"][0]["quantities"]}
    assert counts["grad_w1"] == 3
    assert counts["w1"] == 1


def test_a_name_alone_is_checked(handgrad, cpu_alone):
    code, out, _ = handgrad("two_layer_relu")
    assert code == 0
    assert "All match: 22 quantities of 1 variant in 2 comparisons" in out


def test_check_is_the_default_command(handgrad):
    assert handgrad("--dtype", "float64", "--device", "cpu") == handgrad(
        "check", "--dtype", "float64", "--device", "cpu"
    )


def test_a_mismatch_exits_with_1_and_is_named(handgrad, sign_error, cpu_alone):
    code, out, _ = handgrad("check", "three_layer_relu", "two_layer_relu")
    assert code == 1
    assert "2 of 4 comparisons do not match: three_layer_relu (cpu, float64)" in out
    assert "grad_w2" in out.splitlines()[-1]


@pytest.mark.parametrize("columns", slow_but([80, 112], 80))
def test_nothing_is_cut_off_the_table(handgrad, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    _, out, _ = handgrad("-v", "--device", "cpu")
    lines = [line.rstrip() for line in out.splitlines()]
    assert "three_layer_sigmoid_bias  cpu     float64" in out
    assert "…" not in out
    assert max(map(len, lines)) <= columns


def test_verbose_shows_every_quantity(handgrad):
    _, out, _ = handgrad("check", "two_layer_relu", "-v", "--dtype", "float64", "--device", "cpu")
    rows = [line.split()[0] for line in out.splitlines() if line.split()[-1:] == ["match"]]
    assert rows[:5] == ["w1", "w2", "h", "h_relu", "y_pred"]
    assert {"loss", "grad_h", "grad_w1"} <= set(rows)


def test_the_resolution_is_printed_of_a_file_as_well(handgrad, tmp_path):
    """With -v, of networks and of files alike, and in JSON."""
    handgrad("new", tmp_path / "mine.py")
    _, out, _ = handgrad("two_layer_relu", tmp_path / "mine.py", "-v", "--dtype", "float64")
    headings = [line.split() for line in out.splitlines() if line.startswith("quantity ")]
    assert ["resolution" in line for line in headings] == [True, True]
    _, out, _ = handgrad(tmp_path / "mine.py", "--json")
    found = {one["name"]: one["resolution"] for one in json.loads(out)["runs"][0]["quantities"]}
    assert 0 < found["grad_w1"] < 1e-12


def test_json_is_one_object_of_the_documented_form(handgrad, sign_error, cpu_alone):
    code, out, _ = handgrad("check", "three_layer_relu", "--json")
    assert code == 1
    found = json.loads(out, parse_constant=pytest.fail)
    assert found.keys() == {"version", "environment", "runs"}
    assert found["version"] == 2
    assert found["environment"]["torch"] == torch.__version__
    assert [one["dtype"] for one in found["runs"]] == ["float64", "float32"]
    first = found["runs"][0]
    contract = {"source", "variant", "device", "dtype", "reference", "verdict", "error", "first"}
    assert first.keys() == contract | {"settings", "notes", "quantities"}
    assert first["reference"] == "module"
    assert (first["variant"], first["verdict"]) == ("three_layer_relu", "mismatch")
    assert first["first"] == "grad_w2"
    quantities = {quantity["name"]: quantity for quantity in first["quantities"]}
    wrong = quantities["grad_w2"]
    assert wrong["difference"] > wrong["tolerance"] > 0
    assert wrong["shape"] == [8, 8]
    assert wrong["line"]["file"].endswith("manual/three_layer_relu.py")
    assert wrong["line"]["code"] == "grad_w2 = h1_relu.T.dot(grad_h2)"
    assert wrong["cause"]["kind"] == "sign"
    assert wrong["fix"] is None
    assert quantities["w1"]["kind"] == "parameter"
    assert quantities["loss"]["kind"] == "loss"
    assert quantities["h1"]["kind"] == "value"
    assert wrong["kind"] == "gradient"


def test_numbers_that_json_does_not_have_are_strings(handgrad):
    _, out, _ = handgrad(
        *("check", "two_layer_relu", "--json", "--dtype", "float32", "--device", "cpu"),
        *("--size", "2,3,4,1"),
    )
    assert json.loads(out)["runs"][0]["verdict"] == "match"
    from handgrad.show.json import number

    assert [number(v) for v in (math.nan, math.inf, -math.inf, 1.5)] == ["nan", "inf", "-inf", 1.5]


def test_sizes_and_seed_are_the_users(handgrad):
    arguments = ("check", "two_layer_relu", "-v", "--dtype", "float64", "--device", "cpu")
    _, out, _ = handgrad(*arguments, "--size", "5,4,3,2", "--seed", "7")
    assert "4 x 3" in out
    assert "5 x 2" in out
    _, other, _ = handgrad(*arguments, "--size", "5,4,3,2", "--seed", "8")
    assert out != other


def test_list_names_sizes_and_cells(handgrad):
    code, out, _ = handgrad("list")
    assert code == 0
    rows = {line.split()[0]: line for line in out.splitlines()[1:]}
    assert list(rows) == list(GALLERY)
    assert "21-25" in rows["three_layer_relu_bias"]
    assert "n=64, d_in=20, h=32, d_out=1" in rows["two_layer_relu"]


BAD = {
    ("check", "no_such"): ["'no_such'", "two_layer_relu, three_layer_relu"],
    ("no_such",): ["'no_such'", "two_layer_relu, three_layer_relu"],
    ("check", "--device", "abacus"): ["'abacus'", "use cpu, cuda"],
    ("check", "--device", "meta"): ["'meta'", "use cpu, cuda"],
    ("check", "--device", ""): ["''", "use cpu, cuda"],
    ("check", "--device", "cuda:-1"): ["'cuda:-1'", "use cpu, cuda"],
    ("check", "--device", "cuda:99"): ["'cuda:99'", "not here"],
    ("check", "--device", "cuda:128"): ["'cuda:128'", "not here"],
    ("check", "--device", "cpu:1"): ["'cpu:1'", "1 cpu device;"],
    ("check", "--dtype", "float16"): ["'float16'", "float64, float32"],
    ("check", "two_layer_relu", "--size", "0,1,1,1"): ["1 or more", "0"],
    ("check", "two_layer_relu", "--size", "-4,1,1,1"): ["1 or more", "-4"],
    ("check", "two_layer_relu", "--size", "big"): ["'big'", "64,20,32,1"],
    ("check", "two_layer_relu", "--size", "1,,2,3"): ["'1,,2,3'"],
    ("check", "two_layer_relu", "--size", "1.5,2,3,4"): ["'1.5,2,3,4'"],
    ("check", "two_layer_relu", "--size", "٣,2,3,4"): ["'٣,2,3,4'"],
    ("check", "two_layer_relu", "--size", f"{10**20},2,3,4"): ["whole numbers"],
    ("check", "two_layer_relu", "--size", "999999999,999999999,9,9"): ["sizes"],
    ("check", "--seed", "²"): ["--seed", "²"],
    ("check", "--seed", "9" * 5000): ["--seed", "999"],
    ("train", "two_layer_relu", "--plot", "/", "--force"): ["/ is a folder"],
    ("train", "two_layer_relu", "--plot", "l" * 300): ["File name too long"],
    ("check", "two_layer_relu", "--size", "64,20"): ["4 sizes (n, d_in, h, d_out)", "found 2"],
    ("check", "--seed", "-1"): ["--seed", "-1"],
    ("check", "--seed", "x"): ["--seed", "x"],
    ("--no-such-option",): ["--no-such-option"],
    ("train",): ["argument"],
    ("train", "no_such"): ["'no_such'"],
    ("train", "two_layer_relu", "--dtype", "all"): ["'all'", "float64, float32"],
    ("train", "two_layer_relu", "--device", "all"): ["'all'", "use cpu, cuda"],
    ("train", "two_layer_relu", "--plot", "no/such/folder/l.png"): ["no/such/folder"],
}


@pytest.mark.parametrize("arguments", BAD, ids=" ".join)
def test_bad_input_is_one_sentence_and_exit_2(handgrad, arguments):
    code, out, err = handgrad(*arguments)
    assert code == 2
    assert out == ""
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    assert all(word in err for word in BAD[arguments])


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_cuda_asked_for_and_absent_is_one_sentence(handgrad):
    code, out, err = handgrad("check", "--device", "cuda")
    assert (code, out) == (2, "")
    assert err == "Error: The device 'cuda' is not here: PyTorch finds no CUDA device; use cpu.\n"


def test_what_needs_no_torch_does_not_import_it():
    script = (
        "import sys; from handgrad.cli.main import main\n"
        "for line in ('--help', 'list', '--version', 'train --help'):\n"
        "    sys.argv[1:] = line.split()\n"
        "    try: main()\n"
        "    except SystemExit as done: print('exit', done.code or 0, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    *printed, rest = done.stdout.split("exit 0 False\n")
    assert rest == ""
    assert len(printed) == 4
    assert all(printed)


@pytest.mark.slow
def test_no_check_imports_the_compiler():
    """PyTorch's takes seconds: neither TF32 nor a mistake, which is looked at again, needs it."""
    script = (
        "import sys\nfrom dataclasses import replace\n"
        "from handgrad.load.gallery import load\n"
        "from handgrad.pipeline import check, check_gallery\n"
        "right = load('two_layer_relu')\n"
        "negated = lambda *given: {name: -g for name, g in right.backward(*given).items()}\n"
        "wrong = replace(right, backward=negated)\n"
        "print(check(wrong).verdict, check_gallery('two_layer_relu', dtype='tf32').verdict)\n"
        "print('torch._dynamo' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("mismatch match\nFalse\n", "")


def test_the_package_runs_as_a_module():
    command = [sys.executable, "-m", "handgrad", "check", "no_such"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1
