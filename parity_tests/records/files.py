"""Records as files: safetensors with metadata, sealed with a checksum, never half written."""

import hashlib
import json
import re

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from parity_tests.compare.precision import PRECISIONS
from parity_tests.errors import InputError
from parity_tests.records.take import Record, Run
from parity_tests.targets import check_target, write_whole
from parity_tests.variants import VARIANTS

VERSION = 1
ENDING = ".safetensors"
SEAL = re.compile(rb'"sha256":"([0-9a-f]{64})"')
UNSEALED = "0" * 64  # what stands in the seal's place while the checksum is computed


def check_record_target(path, force):
    """Raise InputError unless a record may be written to `path`."""
    if path.suffix != ENDING:
        raise InputError(f"A record is a file that ends in {ENDING}, found {str(path)!r}.")
    check_target(path, force)


def write(path, record, force=False):
    """Write a Record to a file, all of it or nothing; raise InputError where that cannot be."""
    check_record_target(path, force)
    write_whole(path, serialized(record), force)


def serialized(record):
    """Return a Record as the bytes of its file."""
    tensors: dict[str, np.ndarray] = {}
    runs = []
    for run in record.runs:
        where = f"{run.variant}/{run.dtype}"
        arrays = {"x": run.x, "y": run.y, "losses": run.losses}
        arrays |= {f"trace/{name}": array for name, array in run.trace.items()}
        tensors |= {f"{where}/{name}": np.array(array, order="C") for name, array in arrays.items()}
        runs.append(
            {
                "variant": run.variant,
                "dtype": run.dtype,
                "seed": run.seed,
                "settings": run.settings,
                "trace": list(run.trace),  # the order of computing; the file keeps none
            }
        )
    about = {"version": VERSION, "device": record.device, "environment": record.environment}
    content = save(tensors, {"handgrad": json.dumps({**about, "runs": runs}), "sha256": UNSEALED})
    return content.replace(UNSEALED.encode(), checksum(content).encode(), 1)


def checksum(content):
    """Return the checksum of a file's bytes, whatever its own seal says."""
    return hashlib.sha256(SEAL.sub(f'"sha256":"{UNSEALED}"'.encode(), content, 1)).hexdigest()


def read(path):
    """Read a Record from a file; raise InputError where it is none, is damaged or of another kind.

    Every byte counts in the checksum, so nothing of a damaged file is believed.
    """
    try:
        content = path.read_bytes()
        with safe_open(path, "numpy") as file:
            about = (file.metadata() or {}).get("handgrad")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except OSError as error:
        raise InputError(f"Cannot read {path}: {error.strerror or error}.") from None
    except (SafetensorError, UnicodeDecodeError, TypeError):
        raise InputError(
            f"{path} is no record of `handgrad record`, or it is cut short or damaged: record it "
            "again."
        ) from None
    if about is None:
        raise InputError(f"{path} is a safetensors file, but no record of `handgrad record`.")
    about = parsed(path, about)
    seal = SEAL.search(content)
    if seal is None or seal[1].decode() != checksum(content):
        raise InputError(
            f"{path} was altered or damaged after it was recorded: its checksum is not that of "
            "its content; record it again."
        )
    try:
        runs = [restored(run, tensors) for run in about["runs"]]
        return Record(str(about["device"]), dict(about["environment"]), runs)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} is no record that can be read: {error} is amiss in it.") from None


def parsed(path, about):
    """Read what a file says about itself; raise InputError where it is of another version."""
    try:
        about = json.loads(about)
        version = about["version"]
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{path} is damaged: what it says about itself cannot be read.") from None
    if version != VERSION:
        raise InputError(
            f"{path} is a record of version {version!r}, and this Handgrad reads version "
            f"{VERSION}: record it again, or read it with the Handgrad that wrote it."
        )
    return about


def restored(run, tensors):
    """Return one Run of a file."""
    variant, dtype = run["variant"], run["dtype"]
    if variant not in VARIANTS or dtype not in PRECISIONS:
        raise ValueError(f"the run of {variant!r} in {dtype!r}")
    where = f"{variant}/{dtype}"
    return Run(
        variant=variant,
        dtype=dtype,
        seed=int(run["seed"]),
        settings=dict(run["settings"]),
        x=tensors[f"{where}/x"],
        y=tensors[f"{where}/y"],
        trace={name: tensors[f"{where}/trace/{name}"] for name in run["trace"]},
        losses=tensors[f"{where}/losses"],
    )
