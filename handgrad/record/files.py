"""Records as files: safetensors with metadata, sealed with a checksum, never half written."""

import hashlib
import json
import re

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from handgrad.errors import InputError
from handgrad.load.gallery import GALLERY, sizes_of
from handgrad.record.take import Record, Run
from handgrad.run.hand_written import named_inputs
from handgrad.run.precision import PRECISIONS
from handgrad.show.target import check_target, write_whole

VERSION = 2
ENDING = ".safetensors"
SEAL = re.compile(rb'"sha256":"([0-9a-f]{64})"')
FLOATS = (np.float64, np.float32)
LONGEST = 1000  # characters of one text
WHOLE = "iub"  # kinds of numbers that the data may have as well: labels and masks
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
        inputs = named_inputs(run.x)
        arrays = {**inputs, "y": run.y, "losses": run.losses}
        arrays |= {f"trace/{name}": array for name, array in run.trace.items()}
        tensors |= {f"{where}/{name}": np.array(array, order="C") for name, array in arrays.items()}
        runs.append(
            {
                "variant": run.variant,
                "dtype": run.dtype,
                "seed": run.seed,
                "sizes": run.sizes,
                "settings": run.settings,
                "inputs": list(inputs),
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
    if path.exists() and not path.is_file():  # a pipe would never end
        raise InputError(f"{path} is not a file of `handgrad record`: save the record first.")
    try:
        content = path.read_bytes()
        tensors = load(content)
        header = parsed_json(content[8 : 8 + int.from_bytes(content[:8], "little")])
        about = (header.get("__metadata__") or {}).get("handgrad")
    except OSError as error:
        raise InputError(f"Cannot read {path}: {error.strerror}.") from None
    except (SafetensorError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
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
        return Record(text(about["device"]), flat(about["environment"]), runs)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{path} is no record that can be read: {error} is invalid in it."
        ) from None


def parsed_json(content):
    """Return what JSON says; raise ValueError where a key is there twice: readers differ there."""

    def unique(pairs):
        found = dict(pairs)
        if len(found) < len(pairs):
            raise ValueError("a key is there twice")
        return found

    return json.loads(content, object_pairs_hook=unique)


def parsed(path, about):
    """Read what a file says about itself; raise InputError where it is of another version."""
    try:
        about = parsed_json(about)
        version = about["version"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InputError(f"{path} is damaged: what it says about itself cannot be read.") from None
    if version != VERSION:
        raise InputError(
            f"{path} is a record of version {repr(version)[:20]}, and this Handgrad reads version "
            f"{VERSION}: record it again, or read it with the Handgrad that wrote it."
        )
    return about


def restored(run, tensors):
    """Return one Run of a file."""
    variant, dtype = text(run["variant"]), text(run["dtype"])
    if variant not in GALLERY or dtype not in PRECISIONS:
        raise ValueError(f"the run of {variant!r} in {dtype!r}")
    where = f"{variant}/{dtype}"
    if not isinstance(run["seed"], int) or not isinstance(run["trace"], list):
        raise TypeError(f"the seed or the trace of {where}")
    return Run(
        variant=variant,
        dtype=dtype,
        seed=run["seed"],
        sizes=sizes(variant, run["sizes"]),
        settings=flat(run["settings"]),
        x=inputs(tensors, where, run["inputs"]),
        y=data(tensors, f"{where}/y"),
        trace={text(name): array(tensors, f"{where}/trace/{name}") for name in run["trace"]},
        losses=array(tensors, f"{where}/losses"),
    )


def inputs(tensors, where, names):
    """Return the inputs of a run: an array, or a tuple of several."""
    x = tuple(data(tensors, f"{where}/{name}") for name in names)
    x = x[0] if len(x) == 1 else x
    if not names or list(named_inputs(x)) != names:
        raise ValueError(f"the list of inputs of {where}")
    return x


def data(tensors, name):
    """Return the array of that name; raise TypeError or ValueError where it is no data."""
    found = array(tensors, name, WHOLE)
    if not found.ndim or not found.size or not np.isfinite(found).all():
        raise ValueError(f"the data {name}")
    return found


def array(tensors, name, others=""):
    """Return the array of that name; raise TypeError where it has another dtype.

    `others` are the kinds of numbers that it may have beside float64 and float32.
    """
    found = tensors[name]
    if found.dtype not in FLOATS and found.dtype.kind not in others:
        raise TypeError(f"{name}, with the dtype {found.dtype},")
    return found


def sizes(variant, found):
    """Return a network's sizes; raise TypeError or ValueError where these are not its own."""
    found = dict(found)
    if list(found) != list(sizes_of(variant)):
        raise ValueError(f"the sizes of {variant}")
    for size in found.values():
        if type(size) is not int or not 1 <= size < 2**31:
            raise ValueError(f"a size of {variant}, {repr(size)[:20]},")
    return found


def flat(about):
    """Return a dict of texts to texts, whole numbers and None; raise TypeError where it is none."""
    for key, value in dict(about).items():
        text(key)
        if value is not None:
            text(str(value) if isinstance(value, int) else value)
    return dict(about)


def text(value):
    """Return a text that can be written; raise TypeError or ValueError where it is none."""
    if not isinstance(value, str) or len(value) > LONGEST:
        raise TypeError(repr(value)[:50])
    value.encode()
    return value
