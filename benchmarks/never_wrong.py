"""Is a right derivation ever called wrong? `python benchmarks/never_wrong.py --trials 1000`.

Draws weights and data of every network of the gallery and of `benchmarks/architectures` again and
again, of any sizes and scales, with rows of zeros, repeated rows, saturated activations and
targets that are all but reached, and judges the right hand-written version. Prints a row for each
network and dtype: how many trials there were and in how many something was called wrong, could
not be told (`inconclusive`: such a check is of no use, so these must be few), or failed (`error`),
the bound on the chance of a false alarm, and the first seeds of each kind.

With `--reference forward` each is judged by its own forward pass instead, and so are those of
`benchmarks/styles`. Where that says that it cannot judge, in a sentence (`refused`), it is no
failure: the loss is inf, say.

The counts are kept in a file (`--state`) as it goes on: stop it with Ctrl-C, and the same command
goes on from there. `--trials` is how many there are in the end, not how many more.
"""

import argparse
import json
import multiprocessing
import os
import signal
import sys
from collections import Counter
from itertools import chain
from pathlib import Path

import torch

from benchmarks import architectures, styles
from benchmarks.architectures import ARCHITECTURES
from benchmarks.styles import STYLES
from handgrad.errors import InputError
from handgrad.findings import FAILED
from handgrad.load.gallery import DTYPES, GALLERY, manual_side
from handgrad.pipeline import check
from handgrad.run.precision import PRECISIONS
from parity_tests.meta_tests.awkward import draw_awkward

TOLD = ("wrong", "inconclusive", "error")  # the outcomes whose seeds are printed
REFUSED = "refused"
CUT_OFF = ("bce",)  # their backward pass is that of PyTorch's bounds, not of their own forward pass
KEPT = 20  # seeds of each outcome
CHUNK = 20  # trials between two notes in the state
SLOWEST = 120  # seconds that a trial may take


def main():
    """Run what is left to run, print a row for each network and dtype; exit 1 if any is wrong."""
    options = parsed()
    names = options.only or names_for(options.reference)
    dtypes = options.dtype or DTYPES
    keys = [f"{name} {dtype} {options.reference}" for name in names for dtype in dtypes]
    state = json.loads(options.state.read_text()) if options.state.exists() else {}
    for key in keys:
        state.setdefault(key, {"trials": 0, "counts": {}, "seeds": {}})
    for stop in (signal.SIGINT, signal.SIGTERM):  # also where it runs in the background
        signal.signal(stop, signal.default_int_handler)
    spawn = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
    with spawn.Pool(options.processes, at_start) as pool:
        try:
            for key, first, outcomes in pool.imap(run_chunk, chunks(state, keys, options.trials)):
                note(state[key], first, outcomes)
                write(state, options.state)
        except KeyboardInterrupt:
            print(f"Stopped; the same command goes on from {options.state}.")
            pool.terminate()
    print_table({key: state[key] for key in keys})
    sys.exit(any(state[key]["counts"].get(bad) for key in keys for bad in ("wrong", "error")))


def parsed():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=100, metavar="N", help="of each row")
    parser.add_argument("--dtype", action="append", choices=DTYPES, help="again for several")
    parser.add_argument("--only", action="append", choices=[*GALLERY, *ARCHITECTURES, *STYLES])
    parser.add_argument("--reference", choices=("module", "forward"), default="module")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument(
        "--state", type=Path, default=Path("never_wrong.json"), help="where the counts are kept"
    )
    return parser.parse_args()


def names_for(reference):
    """Return the names of the networks that have such a reference."""
    if reference == "module":
        return [*GALLERY, *ARCHITECTURES]
    return [*GALLERY, *(name for name in ARCHITECTURES if name not in CUT_OFF), *STYLES]


def at_start():
    """Set up a process: one thread, and Ctrl-C is the main process's to answer."""
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def chunks(state, keys, trials):
    """Yield a key and a range of seeds at a time, each network in turn: early news of all."""
    for start in range(0, trials, CHUNK):
        for key in keys:
            first, last = max(start, state[key]["trials"]), min(start + CHUNK, trials)
            if first < last:
                yield key, first, last


def run_chunk(chunk):
    """Run trials, and return the key, the first seed, and each trial's outcome."""
    key, first, last = chunk
    name, dtype, reference = key.split()
    return key, first, [outcome(name, dtype, reference, seed) for seed in range(first, last)]


def outcome(name, dtype, reference, seed):
    """Judge a right derivation on awkward data, and return the worst verdict there is."""
    signal.signal(signal.SIGALRM, too_slow)
    signal.alarm(SLOWEST)
    try:
        report = check(drawn(name, dtype, reference, seed), precision=PRECISIONS[dtype])
    except InputError as error:
        kind = "error" if reference == "module" else REFUSED
        return f"{kind}: {error}"
    except Exception as error:  # a crash is counted; the other trials go on
        return f"error: {type(error).__name__}: {error}"
    finally:
        signal.alarm(0)
    found = {finding.verdict for finding in report.findings} - {"match", "yours"}
    if found.intersection(FAILED):
        return "wrong"
    if "inconclusive" in found:  # the report's verdict is an error then
        return "inconclusive"
    return f"error: {report.error}" if report.verdict == "error" else min(found, default="match")


def drawn(name, dtype, reference, seed):
    """Return the network of a trial."""
    if name in STYLES:
        return styles.draw(name, dtype, seed, awkward=True)
    if name in GALLERY:
        network, side = draw_awkward(name, dtype, seed), manual_side(name)
    else:
        network = architectures.draw(name, dtype, seed, awkward=True)
        side = architectures.side_of(name)
    return network if reference == "module" else styles.own_forward(network, side)


def too_slow(_signal, _frame):
    """Raise TimeoutError."""
    raise TimeoutError(f"it took more than {SLOWEST} s")


def note(row, first, outcomes):
    """Count the outcomes of trials, and keep the first seeds of what is no match."""
    counts = Counter(row["counts"])
    for seed, text in enumerate(outcomes, first):
        kind = text.split(":")[0]
        counts[kind] += 1
        seeds = row["seeds"].setdefault(kind, [])
        if kind != "match" and len(seeds) < KEPT:
            seeds.append(seed if kind == text else [seed, text])
    row.update(trials=first + len(outcomes), counts=dict(counts))


def write(state, path):
    """Write the state to its file, all of it or nothing."""
    beside = path.with_name(f"{path.name}.new")
    beside.write_text(json.dumps(state, indent=1))
    beside.replace(path)


def print_table(rows):
    """Print a row for each network and dtype, and one for all of each dtype."""
    print(f"{'network':<26} {'dtype':<9} {'trials':>7} {'wrong':>6} {'inconcl.':>8} {'error':>6}  ")
    totals: dict[str, Counter] = {}
    for key, row in rows.items():
        name, dtype, _ = key.split()
        totals.setdefault(dtype, Counter()).update({"trials": row["trials"], **row["counts"]})
        print(line(name, dtype, row["trials"], row["counts"]), told(row["seeds"]), flush=True)
    for dtype, total in totals.items():
        print(line("all", dtype, total["trials"], total))


def line(name, dtype, trials, counts):
    """Return a row of the table, but for the seeds."""
    wrong, inconclusive, errors = (counts.get(kind, 0) for kind in TOLD)
    judged = trials - errors - counts.get(REFUSED, 0)
    others = {k: n for k, n in counts.items() if k not in (*TOLD, "match", "trials")}
    said = f" {wrong / judged:.1e}" if wrong else f" <{3 / max(judged, 3):.1e}"
    return (
        f"{name:<26} {dtype:<9} {trials:>7} {wrong:>6} {inconclusive:>8} {errors:>6} {said}"
        + "".join(f" {kind} {count}" for kind, count in others.items())
    )


def told(seeds):
    """Return the seeds of what must not be, as text."""
    found = [(kind, seeds[kind]) for kind in TOLD if seeds.get(kind)]
    return "".join(f" {kind}: {', '.join(map(str, chain(some[:10])))};" for kind, some in found)


if __name__ == "__main__":
    main()
