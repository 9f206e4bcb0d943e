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
from safetensors.numpy import load, save

from handgrad.errors import InputError
from handgrad.load import gallery
from handgrad.record import files
from handgrad.record.diff import compare_records
from handgrad.record.files import checksum, read, serialized, write
from parity_tests.product_tests.recorded import (
    NAME,
    SMALL,
    changed,
    of_dtypes,
    record_of,
    short_trainings,
)


@pytest.fixture(scope="module", autouse=True)
def short():
    """Train for few steps: what a record holds is the same."""
    with short_trainings():
        yield


@pytest.fixture(scope="module")
def recorded():
    """Give a small record of two dtypes."""
    return record_of("float64", "float32", sizes=SMALL)


@pytest.fixture
def file(recorded, tmp_path):
    """Give the file of the small record."""
    write(tmp_path / "run.safetensors", recorded)
    return tmp_path / "run.safetensors"


def written_and_read(record, folder):
    """Return a record as it comes back from a file."""
    write(folder / "back.safetensors", record)
    return read(folder / "back.safetensors")


def same(actual, expected):
    return actual.dtype == expected.dtype and np.array_equal(actual, expected)


def test_what_is_written_is_what_is_read(name, tmp_path):
    record = record_of("float64", "bfloat16", name=name)
    back = written_and_read(record, tmp_path)
    assert back.device == "cpu"
    assert back.environment == record.environment
    for actual, expected in zip(back.runs, record.runs, strict=True):
        assert actual[:5] == expected[:5]
        assert list(actual.sizes) == list(gallery.sizes_of(name))
        assert list(actual.trace) == list(expected.trace)
        assert all(same(actual.trace[key], array) for key, array in expected.trace.items())
        assert same(actual.x, expected.x)
        assert same(actual.y, expected.y)
        assert same(actual.losses, expected.losses)


def test_whole_numbers_stay_whole(tmp_path):
    labels = record_of("float64", name="softmax_cross_entropy").runs[0].y
    assert labels.dtype == np.int64
    for y in (labels, labels.astype(np.uint8), labels > 0):
        record = changed(record_of("float64", name="softmax_cross_entropy"), y=y)
        (path := tmp_path / "back.safetensors").unlink(missing_ok=True)
        assert same(written_and_read(record, path.parent).runs[0].y, y)


def test_several_inputs_come_back_in_order(recorded, tmp_path):
    x = recorded.runs[0].x
    record = changed(of_dtypes(recorded, "float64"), x=(x, np.arange(6), x[:, :1]))
    back = written_and_read(record, tmp_path).runs[0].x
    assert isinstance(back, tuple)
    assert all(map(same, back, record.runs[0].x))


def test_a_record_has_neither_host_nor_user(file):
    content = file.read_bytes()
    for name in (os.uname().nodename, str(Path.home()), str(Path.cwd())):
        assert name == "/" or name.encode() not in content


def resealed(content, change):
    """Return a file's bytes with what it says about itself changed, and a checksum that fits."""
    tensors = load(content)
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    about = json.loads(header["__metadata__"]["handgrad"])
    change(about)
    changed = save(tensors, {"handgrad": json.dumps(about), "sha256": files.UNSEALED})
    return changed.replace(files.UNSEALED.encode(), checksum(changed).encode(), 1)


def run_with(**changes):
    return lambda about: about["runs"][0].update(changes)


KINDS = {
    "version": (
        lambda about: about.update(version=1),
        "is a record of version 1, and this Handgrad reads version 2: record it again",
    ),
    "sizes": (run_with(sizes={"n": 6, "h1": 4}), f"the sizes of {NAME} is invalid"),
    "no sizes": (run_with(sizes=None), "is invalid"),
    "size": (run_with(sizes={**SMALL, "h1": "\ud800"}), f"a size of {NAME}, '.ud800'"),
    "negative": (run_with(sizes={**SMALL, "h1": -4}), f"a size of {NAME}, -4, is invalid"),
    "beyond": (run_with(sizes={**SMALL, "h1": 2**31}), f"a size of {NAME}, {2**31}, is"),
    "inputs": (run_with(inputs=["x", "y"]), "the list of inputs"),
    "no inputs": (run_with(inputs=[]), "the list of inputs"),
    "another's input": (run_with(inputs=["y"]), "the list of inputs"),
    "no runs": (lambda about: about.pop("runs"), "'runs' is invalid"),
    "variant": (run_with(variant="x"), "the run of 'x' in 'float64'"),
    "dtype": (run_with(dtype="x"), f"the run of '{NAME}' in 'x'"),
    "trace": (lambda about: about["runs"][0]["trace"].append("h9"), "trace/h9' is invalid"),
    "seed": (run_with(seed="x"), "the seed or the trace"),
    "endless seed": (run_with(seed=float("inf")), "the seed"),
    "environment": (lambda about: about.update(environment=3), "is invalid"),
    "nested environment": (lambda about: about["environment"].update(torch=["2"]), "is invalid"),
    "surrogate": (lambda about: about["environment"].update(torch="\ud800"), "is invalid"),
}


@pytest.mark.parametrize(("change", "words"), KINDS.values(), ids=KINDS)
def test_a_file_of_another_kind_is_one_sentence(file, change, words):
    file.write_bytes(resealed(file.read_bytes(), change))
    with pytest.raises(InputError, match=words) as caught:
        read(file)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("dtype", [np.int64, np.float16, np.bool_])
def test_a_record_with_other_than_its_dtypes_is_one_sentence(recorded, tmp_path, dtype):
    run = recorded.runs[0]
    odd = run._replace(trace={**run.trace, "w1": run.trace["w1"].astype(dtype)})
    write(tmp_path / "odd.safetensors", recorded._replace(runs=[odd]))
    with pytest.raises(InputError, match=f"with the dtype {np.dtype(dtype)}, is invalid"):
        read(tmp_path / "odd.safetensors")


def test_data_of_half_precision_is_one_sentence(recorded, tmp_path):
    with pytest.raises(InputError, match="/y, with the dtype float16, is invalid"):
        written_and_read(changed(recorded, y=recorded.runs[0].y.astype(np.float16)), tmp_path)


def test_data_that_is_not_finite_is_one_sentence(recorded, tmp_path):
    odd = recorded.runs[0]._replace(x=recorded.runs[0].x * np.inf)
    write(tmp_path / "odd.safetensors", recorded._replace(runs=[odd]))
    with pytest.raises(InputError, match=r"the data .*/x is invalid"):
        read(tmp_path / "odd.safetensors")


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.safetensors")
    with pytest.raises(InputError, match="is not a file"):
        read(tmp_path / "pipe.safetensors")


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
    places = [rng.randrange(header) for _ in range(50)]
    places += [rng.randrange(header, len(content)) for _ in range(50)]
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


def test_interrupted_while_writing_it_leaves_nothing(recorded, monkeypatch, tmp_path):
    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "run.safetensors", recorded)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_killed_while_writing_it_leaves_no_half_file(recorded, tmp_path):
    """The kill hits a process that does nothing but write records."""
    given, path = tmp_path / "given.safetensors", tmp_path / "run.safetensors"
    write(given, recorded)  # to train there takes longer than all else
    script = (
        "import sys; from pathlib import Path\n"
        "from handgrad.record.files import read, write\n"
        "record = read(Path(sys.argv[1])); print('ready', flush=True)\n"
        "while True: write(Path(sys.argv[2]), record, force=True)"
    )
    rng = random.Random(0)
    for _ in range(2):
        command = [sys.executable, "-c", script, str(given), str(path)]
        writing = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert writing.stdout is not None
        assert writing.stdout.readline() == b"ready\n"
        time.sleep(rng.uniform(0, 0.05))
        writing.send_signal(signal.SIGKILL)
        writing.communicate()
        if path.exists():
            assert len(read(path).runs) == len(recorded.runs)
