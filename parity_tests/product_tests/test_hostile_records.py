"""A record that cannot be one, or says what is not so: one sentence, and nothing is executed."""

import time

import pytest

from handgrad.record.files import serialized, write
from parity_tests.product_tests.hostile import ESCAPES
from parity_tests.product_tests.hostile_records import (
    BYTES,
    NO_RECORDS,
    SAID,
    environment,
    resealed,
)
from parity_tests.product_tests.one_sentence import elsewhere, hidden, is_one_sentence
from parity_tests.product_tests.recorded import SMALL, record_of, short_trainings

__all__ = ["elsewhere"]  # a fixture of every test


@pytest.fixture(scope="module")
def recorded():
    """Give a small record."""
    with short_trainings():
        yield record_of("float64", sizes=SMALL)


@pytest.mark.parametrize("content", BYTES.values(), ids=BYTES)
def test_a_record_that_is_none_is_one_sentence(handgrad, recorded, tmp_path, content):
    compared(handgrad, recorded, tmp_path, content)


@pytest.mark.parametrize("change", SAID.values(), ids=SAID)
def test_a_record_that_says_what_is_not_so_is_one_sentence(handgrad, recorded, tmp_path, change):
    compared(handgrad, recorded, tmp_path, resealed(serialized(recorded), change))


def compared(handgrad, recorded, folder, content):
    """Compare a right record with one of these bytes."""
    bad, good = folder / "bad.safetensors", folder / "good.safetensors"
    bad.write_bytes(content)
    write(good, recorded)
    start = time.monotonic()
    is_one_sentence(*handgrad("diff", good, bad))
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("make", NO_RECORDS.values(), ids=NO_RECORDS)
@pytest.mark.parametrize("options", [(), ("--html", "page.html")], ids=str)
def test_a_record_that_is_no_file_is_one_sentence(handgrad, tmp_path, make, options):
    make(path := tmp_path / "bad.safetensors")
    is_one_sentence(*handgrad("diff", path, path, *options))


@pytest.mark.parametrize("options", [(), ("-v",), ("--json",)], ids=str)
def test_escapes_in_a_record_reach_no_terminal(handgrad, recorded, tmp_path, options):
    texts = {"torch": ESCAPES, ESCAPES: "1", "cpu": "c" * 900}
    other = tmp_path / f"{ESCAPES.replace('/', '')}.safetensors"
    write(tmp_path / "good.safetensors", recorded)
    other.write_bytes(
        resealed(serialized(recorded), environment(**texts)),
    )
    with short_trainings():
        code, out, err = handgrad("diff", tmp_path / "good.safetensors", other, *options)
    assert (code, err) == (0, "")
    assert hidden(out) == set()
    assert "owned" in out
