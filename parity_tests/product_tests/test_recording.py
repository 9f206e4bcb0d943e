"""The command lines of records: `handgrad record` writes one, `handgrad diff` compares two."""

import json

import pytest

from handgrad.load import gallery
from handgrad.record.diff import compare_records
from handgrad.record.files import read, write
from handgrad.record.take import take
from parity_tests.product_tests.recorded import SMALL, record_of, short_trainings


@pytest.fixture(scope="module", autouse=True)
def short():
    """Train for few steps: what a record holds is the same."""
    with short_trainings():
        yield


def test_the_command_line_records_and_compares(handgrad, tmp_path):
    first, second = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    arguments = ("two_layer_relu", "--size", "6,3,4,1", "--dtype")
    code, out, err = handgrad("record", first, *arguments, "float32")
    assert (code, err) == (0, "")
    assert f"Wrote {first}: 1 run on cpu." in out
    handgrad("record", second, *arguments, "tf32")
    code, out, _ = handgrad("diff", first, second)
    assert code == 0
    assert out.splitlines()[0].split() == ["differs", "a.safetensors", "b.safetensors"]
    assert out.splitlines()[1].split() == ["tf32", "(float32", "/", "tf32)", "off", "imitated"]
    assert "All match: 12 quantities of 1 variant in 1 comparison" in out
    code, out, _ = handgrad("diff", first, second, "--dtype", "float32", "-v")
    assert code == 1
    assert "as if one of them had computed in tf32" in out
    assert "1 of 1 comparison does not match: two_layer_relu (float32 / tf32)" in out
    code, out, _ = handgrad("diff", first, second, "--json")
    found = json.loads(out)
    assert [side["device"] for side in found["environments"]] == ["cpu", "cpu"]
    assert found["runs"][0]["quantities"][-1]["kind"] == "losses"
    code, _, err = handgrad("record", first, *arguments, "float32")
    assert code == 2
    assert "is there already" in err


BAD = {
    ("record", "run.npz"): "ends in .safetensors, found 'run.npz'",
    ("record", "no/run.safetensors"): "no folder no",
    ("record", "a.safetensors", "no_such"): "no network 'no_such'",
    ("record", "a.safetensors", "--device", "all"): "no device 'all'",
    ("record", "a.safetensors", "--dtype", "int8"): "no dtype 'int8': use one of float64",
    ("diff", "no.safetensors", "no.safetensors"): "Cannot read no.safetensors: No such file",
    ("diff", ".", "."): ". is not a file of `handgrad record`",
    ("diff", "a", "b", "--dtype", "all"): "no dtype 'all'",
}


@pytest.mark.parametrize(("arguments", "words"), BAD.items(), ids=map(" ".join, BAD))
def test_bad_input_is_one_sentence(handgrad, monkeypatch, tmp_path, arguments, words):
    monkeypatch.chdir(tmp_path)
    code, out, err = handgrad(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("Error: ")
    assert words in err
    assert err.count("\n") == 1


def test_a_report_never_replaces_a_record(handgrad, tmp_path):
    file = tmp_path / "run.safetensors"
    write(file, record_of("float64", sizes=SMALL))
    content = file.read_bytes()
    code, _, err = handgrad("diff", file, file, "--html", file, "--force")
    assert code == 2
    assert "is one of the records" in err
    assert file.read_bytes() == content


def test_a_network_that_is_not_trained_is_recorded_and_compared(handgrad, monkeypatch, tmp_path):
    monkeypatch.setattr(gallery.manual_side("residual"), "LEARNING_RATES", [])
    record = record_of("float64")._replace(runs=[take("residual")])
    file = tmp_path / "run.safetensors"
    write(file, record)
    back = read(file)
    assert back.runs[0].losses.shape == (0,)
    (report,) = compare_records(record, back).reports
    assert report.ok
    assert report.drift is None
    assert {finding.kind for finding in report.findings} == {
        "parameter",
        "value",
        "loss",
        "gradient",
    }
    assert handgrad("diff", file, file, "-v")[0] == 0
    code, _, err = handgrad("train", "residual")
    assert code == 2
    assert "residual is not trained" in err
