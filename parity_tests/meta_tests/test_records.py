"""Records: what is written is what is read, and nothing that is damaged is believed."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load, save

from parity_tests import variants
from parity_tests.compare.precision import FLOAT32, to_tf32
from parity_tests.compare.trace import reference_trace
from parity_tests.compare.weights import to_tensor
from parity_tests.errors import InputError
from parity_tests.records import files
from parity_tests.records.differences import compare_records, compare_runs
from parity_tests.records.environment import environment
from parity_tests.records.files import checksum, read, serialized, write
from parity_tests.records.take import Record, Run, take
from parity_tests.run import build_reference
from parity_tests.variants import VARIANTS

NAME = "three_layer_relu_bias"
SMALL = {"n": 6, "d_in": 3, "h1": 4, "h2": 4, "d_out": 2}


def record_of(*dtypes, name=NAME, seed=0, sizes=None):
    runs = [take(name, "cpu", dtype, seed, sizes) for dtype in dtypes]
    return Record("cpu", environment("cpu"), runs)


@pytest.fixture(scope="module")
def recorded():
    """Give a small record of two dtypes."""
    return record_of("float64", "float32", sizes=SMALL)


@pytest.fixture(scope="module")
def whole():
    """Give a record of one variant at the notebook's size in every dtype."""
    return record_of("float64", "float32", "tf32", "bfloat16")


@pytest.fixture
def file(recorded, tmp_path):
    """Give the file of the small record."""
    write(tmp_path / "run.safetensors", recorded)
    return tmp_path / "run.safetensors"


def of_dtypes(record, *dtypes):
    return record._replace(runs=[run for run in record.runs if run.dtype in dtypes])


def verdicts_of(found):
    return [(report.dtype, report.ok) for report in found.reports]


def test_what_is_written_is_what_is_read(recorded, file):
    back = read(file)
    assert back.device == "cpu"
    assert back.environment == recorded.environment
    for ours, theirs in zip(recorded.runs, back.runs, strict=True):
        assert ours[:4] == theirs[:4]
        assert list(ours.trace) == list(theirs.trace)
        for name, array in ours.trace.items():
            assert array.dtype == theirs.trace[name].dtype
            assert np.array_equal(array, theirs.trace[name])
        assert np.array_equal(ours.losses, theirs.losses)


def test_a_record_has_neither_host_nor_user(file):
    content = file.read_bytes()
    for name in (os.uname().nodename, str(Path.home()), str(Path.cwd())):
        assert name == "/" or name.encode() not in content


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_record_against_itself_has_no_difference(variant):
    record = record_of("float64", "bfloat16", name=variant)
    found = compare_records(record, record)
    assert verdicts_of(found) == [("float64", True), ("bfloat16", True)]
    assert found.environments == found.alone == []
    assert {f.difference for report in found.reports for f in report.findings} == {0.0}


@pytest.mark.parametrize("seed", range(4))
def test_float32_against_float64_is_judged_by_float32s_noise(variant, seed):
    first, second = (record_of(d, name=variant, seed=seed) for d in ("float32", "float64"))
    for pair in ((first, second), (second, first)):
        (report,) = compare_records(*pair).reports
        assert [f for f in report.findings if f.verdict != "match"] == []
        assert "a difference of precision" in report.notes[0]
        assert max(finding.tolerance / 64 for finding in report.findings) > 1e-8


def test_each_dtype_is_paired_with_its_own(whole):
    found = compare_records(whole, of_dtypes(whole, "tf32", "float32"))
    assert verdicts_of(found) == [("float32", True), ("tf32", True)]
    assert found.alone == [
        f"Only the first record has {NAME} in float64.",
        f"Only the first record has {NAME} in bfloat16.",
    ]


@pytest.mark.parametrize("seed", range(2))
def test_tf32_is_a_difference_of_precision(variant, seed):
    first, second = (record_of(dtype, name=variant, seed=seed) for dtype in ("float32", "tf32"))
    found = compare_records(first, second)
    assert verdicts_of(found) == [("float32 / tf32", True)]
    assert found.environments[0] == ("tf32 (float32 / tf32)", "off", "imitated")
    assert "a difference of precision" in found.reports[0].notes[0]
    (report,) = compare_records(first, second, FLOAT32).reports
    assert not report.ok
    (cause,) = {f.cause for f in report.findings if f.cause}
    assert cause.kind == "precision"
    assert "one of them computed in tf32" in cause.message


def test_tf32_that_nobody_spoke_of_is_named(whole):
    """One machine has it on although its record says float32, by an override, say."""
    honest, other = (of_dtypes(whole, dtype) for dtype in ("float32", "tf32"))
    other = other._replace(runs=[other.runs[0]._replace(dtype="float32")])
    (report,) = compare_records(honest, other).reports
    assert report.first == "h1"
    assert "by no more than that of tf32" in report.findings[6].cause.message


def test_rounding_that_carries_an_entry_across_a_kink_is_no_mismatch():
    """The gradients then differ by far more than rounding, and both are right."""
    params, x, y = variants.draw("two_layer_relu", n=4, d_in=2, h=1)
    params["w1"][:] = [[0.1], [0.3]]
    x[0] = [3.0, -1.0]  # h[0] is 5.6e-17, or 0 if 0.1 * 3 is not rounded
    reference = build_reference("two_layer_relu", params)
    runs = []
    for h in (1e-17, -1e-17):

        def hand_on(name, tensor, h=h):
            return torch.cat([torch.tensor([[h]]), tensor[1:]]) if name == "h" else None

        trace = reference_trace(reference, x, y, hand_on)
        trace["h"][0] = h
        settings = {"tf32": "off"}
        runs.append(Run("two_layer_relu", "float64", 0, settings, x, y, trace, np.ones(501)))
    for first, second in (runs, runs[::-1]):
        found = compare_runs(first, second)
        allowed = {finding.name: finding.tolerance for finding in found.findings}
        apart = np.abs(first.trace["grad_w1"] - second.trace["grad_w1"]).max()
        assert apart > 1e6 * allowed["grad_w1"]
        assert [f for f in found.findings if f.verdict != "match"] == []


@pytest.mark.parametrize("name", ["grad_w2", "h1", "loss"])
def test_a_mistake_in_one_run_is_told_of_that_run(whole, name):
    honest = of_dtypes(whole, "float64")
    run = honest.runs[0]
    wrong = run._replace(trace={**run.trace, name: -run.trace[name]})
    (report,) = compare_records(honest, honest._replace(runs=[wrong])).reports
    assert report.first == name
    assert report.notes == [
        f"In the second record: `{name}` has the wrong sign: it is the negative of what is meant."
    ]


def test_another_training_is_told_from_another_pass(whole):
    honest = of_dtypes(whole, "float64")
    run = honest.runs[0]
    slower = run._replace(losses=run.losses * (1 + 1e-6))
    (report,) = compare_records(honest, honest._replace(runs=[slower])).reports
    assert report.first == "losses"
    assert report.notes == ["One pass agrees, the training does not: it was not done alike."]


def test_environments_that_differ_are_told(recorded):
    there = {**recorded.environment, "torch": "2.6.0", "cuda": "NVIDIA H200"}
    found = compare_records(recorded, Record("cuda", there, recorded.runs))
    here = recorded.environment
    assert found.environments == [
        ("device", "cpu", "cuda"),
        ("torch", here["torch"], "2.6.0"),
        ("cuda", None, "NVIDIA H200"),
    ]


def changed(record, **changes):
    return record._replace(runs=[run._replace(**changes) for run in record.runs])


def other_weight(record):
    trace = {**record.runs[0].trace}
    trace["w1"] = np.nextafter(trace["w1"], 9)
    return record._replace(runs=[record.runs[0]._replace(trace=trace)])


def fewer(record):
    return [{k: v for k, v in run.trace.items() if k != "grad_h1"} for run in record.runs]


OTHERS = {
    "seed": (lambda r: changed(r, seed=7), "has seed 0 in the first record and 7 in the second"),
    "weights": (other_weight, "`w1` of .* has other numbers"),
    "data": (lambda r: changed(r, x=r.runs[0].x + 1), "`x` of .* has other numbers"),
    "size": (lambda r: changed(r, y=r.runs[0].y[:3]), r"`y` of .* is \(6, 2\) .* \(3, 2\)"),
    "quantities": (lambda r: changed(r, trace=fewer(r)[0]), "has other quantities"),
    "steps": (lambda r: changed(r, losses=r.runs[0].losses[:9]), "has 9 losses"),
    "variants": (lambda r: changed(r, variant="two_layer_relu"), "share no variant: .* has three"),
    "nothing": (lambda r: r._replace(runs=[]), "the second none"),
}


@pytest.mark.parametrize(("change", "words"), OTHERS.values(), ids=OTHERS)
def test_a_run_of_something_else_is_one_sentence(recorded, change, words):
    with pytest.raises(InputError, match=words) as caught:
        compare_records(recorded, change(of_dtypes(recorded, "float64")))
    assert "\n" not in str(caught.value)


def resealed(content, change):
    """Return a file's bytes with what it says about itself changed, and a checksum that fits."""
    tensors = load(content)
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    about = json.loads(header["__metadata__"]["handgrad"])
    change(about)
    changed = save(tensors, {"handgrad": json.dumps(about), "sha256": files.UNSEALED})
    return changed.replace(files.UNSEALED.encode(), checksum(changed).encode(), 1)


KINDS = {
    "version": (lambda about: about.update(version=2), "a record of version 2"),
    "no runs": (lambda about: about.pop("runs"), "'runs' is amiss"),
    "variant": (lambda about: about["runs"][0].update(variant="x"), "the run of 'x' in 'float64'"),
    "dtype": (lambda about: about["runs"][0].update(dtype="x"), f"the run of '{NAME}' in 'x'"),
    "trace": (lambda about: about["runs"][0]["trace"].append("h9"), "trace/h9' is amiss"),
    "seed": (lambda about: about["runs"][0].update(seed="x"), "is amiss"),
    "environment": (lambda about: about.update(environment=3), "is amiss"),
}


@pytest.mark.parametrize(("change", "words"), KINDS.values(), ids=KINDS)
def test_a_file_of_another_kind_is_one_sentence(file, change, words):
    file.write_bytes(resealed(file.read_bytes(), change))
    with pytest.raises(InputError, match=words):
        read(file)


def test_a_safetensors_file_of_somebody_else_is_one_sentence(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(save({"w": np.ones(3)}))
    with pytest.raises(InputError, match="but no record"):
        read(path)


def test_a_record_that_is_cut_off_is_refused(file):
    content = file.read_bytes()
    for tenth in range(10):
        file.write_bytes(content[: len(content) * tenth // 10])
        with pytest.raises(InputError, match=file.stem):
            read(file)


def test_a_record_with_a_changed_bit_is_refused_wherever_it_is(file):
    content, rng = file.read_bytes(), random.Random(0)
    header = 8 + int.from_bytes(content[:8], "little")
    places = [rng.randrange(header) for _ in range(100)]
    places += [rng.randrange(header, len(content)) for _ in range(100)]
    for place in places:
        damaged = bytearray(content)
        damaged[place] ^= 1 << rng.randrange(8)
        file.write_bytes(damaged)
        with pytest.raises(InputError) as caught:
            read(file)
        assert "\n" not in str(caught.value)


def test_a_weight_with_a_flipped_bit_and_a_right_checksum_is_other_weights(recorded, tmp_path):
    content = bytearray(serialized(recorded))
    w1 = recorded.runs[0].trace["w1"].tobytes()
    content[bytes(content).index(w1)] ^= 1
    (seal,) = files.SEAL.findall(bytes(content))
    path = tmp_path / "forged.safetensors"
    path.write_bytes(bytes(content).replace(seal, checksum(bytes(content)).encode(), 1))
    with pytest.raises(InputError, match="`w1` of three_layer_relu_bias has other numbers"):
        compare_records(recorded, read(path))


def test_a_record_is_never_written_over_unless_told_to(recorded, file):
    content = file.read_bytes()
    with pytest.raises(InputError, match="is there already"):
        write(file, of_dtypes(recorded, "float32"))
    assert file.read_bytes() == content
    write(file, of_dtypes(recorded, "float32"), force=True)
    assert len(read(file).runs) == 1
    assert [path.name for path in file.parent.iterdir()] == ["run.safetensors"]


def test_killed_while_writing_it_leaves_no_half_file(tmp_path):
    """The kill hits a process that does nothing but write records."""
    path = tmp_path / "run.safetensors"
    script = (
        "import sys; from pathlib import Path\n"
        "from parity_tests.meta_tests import test_records as t\n"
        "record = t.record_of('float64', sizes=t.SMALL); print('ready', flush=True)\n"
        "while True: t.write(Path(sys.argv[1]), record, force=True)"
    )
    rng = random.Random(0)
    for _ in range(2):
        command = [sys.executable, "-c", script, str(path)]
        writing = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert writing.stdout is not None
        assert writing.stdout.readline() == b"ready\n"
        time.sleep(rng.uniform(0, 0.05))
        writing.send_signal(signal.SIGKILL)
        writing.communicate()
        if path.exists():
            assert len(read(path).runs) == 1


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
    assert "one of them computed in tf32" in out
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
    ("record", "a.safetensors", "no_such"): "no variant 'no_such'",
    ("record", "a.safetensors", "--device", "all"): "no device 'all'",
    ("record", "a.safetensors", "--dtype", "int8"): "no dtype 'int8': use one of float64",
    ("diff", "no.safetensors", "no.safetensors"): "Cannot read no.safetensors: No such file",
    ("diff", ".", "."): "Cannot read .: Is a directory",
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


def test_imitated_tf32_is_what_the_record_has():
    run = take("two_layer_relu", "cpu", "tf32")
    x, w1 = to_tensor(run.x), to_tensor(run.trace["w1"])
    assert np.array_equal(run.trace["h"], (to_tf32(x) @ to_tf32(w1)).numpy())
    assert run.settings == {"tf32": "imitated", "deterministic": "on"}
