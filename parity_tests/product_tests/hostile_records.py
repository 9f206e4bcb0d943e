"""Records that mean harm: bytes that are none, paths that are no file, and what is not so.

BYTES are contents, NO_RECORDS make what stands where a record is expected, and SAID change what a
record says.
"""

import json
import os

import numpy as np
from safetensors.numpy import load, save

from handgrad.record import files
from parity_tests.product_tests.hostile import ESCAPES, loop


def resealed(content, change):
    """Return a record's bytes with what it says about itself changed, and a checksum that fits."""
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    about = json.loads(header["__metadata__"]["handgrad"])
    about = change(about) or about
    return sealed(load(content), about if isinstance(about, str) else json.dumps(about))


def sealed(tensors, about):
    """Return the bytes of a record with a checksum that fits."""
    content = save(tensors, {"handgrad": about, "sha256": files.UNSEALED})
    return content.replace(files.UNSEALED.encode(), files.checksum(content).encode(), 1)


def headed(header, numbers=b""):
    """Return the bytes of a safetensors file with a header, as text or as what JSON makes."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + numbers


def about(**changes):
    """Return a function that changes what a record says about itself."""
    return lambda found: found.update(changes)


def run(**changes):
    """Return a function that changes what a record says about its first run."""
    return lambda found: found["runs"][0].update(changes)


def environment(**changes):
    """Return a function that changes the environment of a record."""
    return lambda found: found["environment"].update(changes)


PICKLE = b"cos\nsystem\n(S'touch owned'\ntR."
BYTES = {
    "empty": b"",
    "zeros": bytes(100),
    "text": b"Dear reader, this is a letter.",
    "a pickle": PICKLE,
    "a header beyond the end": (2**62).to_bytes(8, "little") + b"{}",
    "a header of 2 GB": (2**31).to_bytes(8, "little") + b"{}",
    "a header that is a list": headed([]),
    "a header that is null": headed(None),
    "a header that is a number": headed(3),
    "metadata that are null": headed({"__metadata__": None}),
    "metadata that are a list": headed({"__metadata__": []}),
    "metadata of numbers": headed({"__metadata__": {"handgrad": 3}}),
    "metadata that are null in it": headed({"__metadata__": {"handgrad": None}}),
    "no metadata": headed({}),
    "twice the same key": headed(b'{"__metadata__": {"handgrad": "{}"}, "__metadata__": null}'),
    "a deep header": headed(b"[" * 100_000 + b"]" * 100_000),
    "offsets beyond the end": headed(
        {"a": {"dtype": "F64", "shape": [2**40], "data_offsets": [0, 2**43]}}
    ),
    "offsets that run back": headed(
        {"a": {"dtype": "F64", "shape": [1], "data_offsets": [8, 0]}}, bytes(8)
    ),
    "a shape below 0": headed(
        {"a": {"dtype": "F64", "shape": [-1], "data_offsets": [0, 8]}}, bytes(8)
    ),
    "a dtype of nobody": headed(
        {"a": {"dtype": "O", "shape": [1], "data_offsets": [0, 8]}}, bytes(8)
    ),
    "about nothing": sealed({"a": np.ones(1)}, ""),
    "about null": sealed({"a": np.ones(1)}, "null"),
    "about a list": sealed({"a": np.ones(1)}, "[]"),
    "about a pickle": sealed({"a": np.ones(1)}, PICKLE.decode()),
    "about, very deep": sealed({"a": np.ones(1)}, "[" * 100_000),
    "another version": sealed({"a": np.ones(1)}, '{"version": 99}'),
    "a version of 1 MB": sealed({"a": np.ones(1)}, json.dumps({"version": "v" * 10**6})),
    "a version of escapes": sealed({"a": np.ones(1)}, json.dumps({"version": ESCAPES})),
    "the version alone": sealed({"a": np.ones(1)}, '{"version": 2}'),
    "twice a key in it": sealed({"a": np.ones(1)}, '{"version": 2, "version": 2, "runs": []}'),
}

# What is no file where a record is expected.
NO_RECORDS = {
    "nothing": lambda path: None,
    "a folder": os.mkdir,
    "a pipe": os.mkfifo,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a link to itself": loop,
}

# Records that are sealed, and say what is not so.
SAID = {
    "runs that are null": about(runs=None),
    "runs that are numbers": about(runs=[1, 2]),
    "no run": about(runs=[]),
    "an environment of lists": about(environment=[1]),
    "a device of 1 MB": about(device="d" * 10**6),
    "a text of 10 MB": environment(torch="t" * 10**7),
    "a key of 10 MB": environment(**{"k" * 10**7: "1"}),
    "a number of 4000 digits": environment(threads=10**4000),
    "a network of nobody": run(variant=ESCAPES),
    "a network that is code": run(variant="__import__('os').system('touch owned')"),
    "a path for a network": run(variant="../../owned"),
    "a dtype that is a list": run(dtype=[]),
    "sizes beyond memory": run(sizes={"n": 2**30, "d_in": 2**30, "h1": 4, "h2": 4, "d_out": 2}),
    "sizes of another": run(sizes={"n": 5}),
    "a trace of numbers": run(trace=[1]),
    "a trace of escapes": run(trace=[ESCAPES]),
    "a trace that is an object": run(trace={"w1": 1}),
    "a trace of nothing": run(trace=[]),
    "inputs of escapes": run(inputs=[ESCAPES]),
    "settings that are text": run(settings="tf32"),
    "a seed that is text": run(seed="0"),
    "its runs twice": lambda found: f'{json.dumps(found)[:-1]}, "runs": []}}',
    "its device twice": lambda found: f'{json.dumps(found)[:-1]}, "device": "cpu"}}',
}
