"""Are small mistakes found, anywhere? `python benchmarks/mistakes.py --trials 100`.

Draws every architecture with 10 to 1,000 rows, makes one mistake in its backward pass, and counts
how many are missed (nothing failed) and misplaced (something failed, but not the quantity with
the mistake). The mistakes:

    entry    one entry of a gradient, of at least a tenth of their typical size, is off by a
             relative 1e-8 in float64, 1e-4 in float32
    negated  one row of a gradient has the other sign
    row      a sum over the rows leaves out the first
    line     one of LINES: an epsilon or a penalty that is forgotten, indices assigned where they
             should add up, every tied maximum with the whole gradient

For the last two a line of the file is edited. What changes no gradient by a millionth of its
typical size in float64 is no mistake there, and not counted.
"""

import argparse
import multiprocessing
import os
import re
import sys
from dataclasses import replace
from types import ModuleType

import numpy as np
import torch

from benchmarks.architectures import ARCHITECTURES, draw, side_of
from handgrad.findings import FAILED
from handgrad.pipeline import check
from handgrad.run.hand_written import in_dtype, run_hand_written
from handgrad.run.precision import PRECISIONS

KINDS = ("entry", "negated", "row", "line")
RELATIVE = {"float64": 1e-8, "float32": 1e-4}
LEAST = 1e-6
ROWS = {"gather_scatter": "edges"}  # the size of what is added up, where it is not n

# What sums over the first axis, and the same without the first row.
SUMS = (
    (r"(\b[\w\[\]\"]+)\.T @ (\w+)", r"\1[1:].T @ \2[1:]"),
    (r"(\bgrad_\w+)\.sum\(axis=(0|\(0, )", r"\1[1:].sum(axis=\2"),
    (r"(np\.einsum\(\"n\w+,n\w+->[^n\"]+\"), ([\w\[\]\"]+), (\w+)\)", r"\1, \2[1:], \3[1:])"),
    (r"np\.tensordot\((grad_\w+), (\w+)", r"np.tensordot(\1[1:], \2[1:]"),
    (r"np\.add\.at\((grad_\w+), (\w+), (\w+)\)", r"np.add.at(\1, \2[1:], \3[1:])"),
)
LINES = (
    (r" \+ 0\.2 \* params\[\"w\"\]", ""),  # the penalty
    (r" \+ 1e-[56]\)", ")"),  # epsilon of a norm
    (r"np\.add\.at\((grad_\w+), (\w+), (\w+)\)", r"\1[\2] += \3"),
    (r" / is_largest\.sum\(.*\)", ""),  # all of it to each
    (r"np\.arange\(4\) == (\S+)\.argmax\(axis=4\)\[.*\]", r"\1 == \1.max(axis=4, keepdims=True)"),
    (r"grad_total\[:, ::-1\], axis=1\)\[:, ::-1\]", "grad_total, axis=1)"),
    (r"\(grad_weights - inner\)", "grad_weights"),
    (r"np\.where\(norm\(a\) > 1e-8, unit \* along, 0\)", "0"),
    (r"grad_h \* z \+ grad_q @", "grad_q @"),  # one of two ways back in time
    (r"grad_c = grad_c \+ ", "grad_c = "),
    (r"-DELTA, DELTA\)", "-2 * DELTA, 2 * DELTA)"),
    (r"\[np\.arange\(len\(y\)\), y\] -= 1", "[:, 0] -= 1"),
    (r" / math\.sqrt\(q\.shape\[\d\]\)", ""),
    (r" \+ h \* density", ""),
    (r" \+ silu \* sigmoid\(-norm\)", ""),
)


def main():
    """Print for each architecture, dtype and kind how many mistakes were missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=20, metavar="N", help="of each row")
    parser.add_argument("--dtype", action="append", choices=list(RELATIVE))
    parser.add_argument("--only", action="append", choices=ARCHITECTURES)
    parser.add_argument("--kind", action="append", choices=KINDS)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    options = parser.parse_args()
    rows = [
        (name, dtype, kind, options.trials)
        for name in options.only or ARCHITECTURES
        for dtype in options.dtype or RELATIVE
        for kind in options.kind or KINDS
    ]
    total = 0
    spawn = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
    with spawn.Pool(options.processes, torch.set_num_threads, [1]) as pool:
        for text, missed in pool.imap(row, rows):
            print(text, end="", flush=True)
            total += missed
    print(f"{total} missed")
    sys.exit(total > 0)


def row(case):
    """Make mistakes of one kind; return a row of the table, and how many were missed."""
    name, dtype, kind, trials = case
    made, missed, misplaced = 0, [], []
    for seed in range(trials):
        if (planted := plant(name, dtype, kind, seed)) is None:
            continue
        made += 1
        network, where = planted
        report = check(network, precision=PRECISIONS[dtype])
        failed = {finding.name for finding in report.findings if finding.verdict in FAILED}
        if not failed:
            missed.append(f"{seed} {where}")
        elif where not in failed:
            misplaced.append(f"{seed} {where}")
    if not made:
        return "", 0
    text = f"{name:<19} {dtype:<8} {kind:<8} {made:>4} made {len(missed):>4} missed "
    text += f"{len(misplaced):>4} misplaced"
    text += f"  missed: {', '.join(missed[:5])}" if missed else ""
    text += f"  misplaced: {', '.join(misplaced[:5])}" if misplaced else ""
    return f"{text}\n", len(missed)


def plant(name, dtype, kind, seed):
    """Return a network with one mistake, and the gradient it is in; None if none was made."""
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    rows = int(10 ** rng.uniform(1, 3))
    network = draw(name, dtype, seed, largest=4, **{ROWS.get(name, "n"): rows})
    if kind in ("row", "line"):
        return edited(network, SUMS if kind == "row" else LINES, rng)
    right = sure_gradients(network)
    factor_of = {"entry": one_entry(RELATIVE[dtype]), "negated": one_row}[kind]
    for where in map(str, rng.permutation(list(right))):
        factor = factor_of(right[where], rng)
        if factor is not None:
            return replace(network, backward=scaling(network.backward, where, factor)), where
    return None


def sure_gradients(network):
    """Return the gradients in float64, with 0 for the entries that are all rounding in float32.

    Of a bias before a batch norm, say: it is 0, and nobody can tell the sign of what is computed.
    """
    coarse = gradients(in_dtype(network, np.float32))
    exact = gradients(in_dtype(network, np.float64))
    return {
        name: np.where(np.abs(grad - coarse[name]) <= 0.01 * np.abs(grad), grad, 0.0)
        for name, grad in exact.items()
    }


def gradients(network):
    """Return the gradients of a network's hand-written side."""
    with np.errstate(all="ignore"):
        trace = run_hand_written(network)
    return {name: grad for name, grad in trace.items() if name.startswith("grad_")}


def scaling(backward, where, factor):
    """Return a backward pass that multiplies one of its gradients by `factor`, at the end."""

    def wrong(params, x, y, values):
        grads = backward(params, x, y, values)
        return {**grads, where: grads[where] * factor.astype(grads[where].dtype)}

    return wrong


def one_entry(relative):
    """Return a function that finds the factors that put one entry of a gradient off."""

    def find(grad, rng):
        sizes = np.abs(grad)
        if not sizes.any():
            return None
        large = np.argwhere(sizes >= 0.1 * np.sqrt(np.square(sizes).mean()))
        factor = np.ones(grad.shape)
        factor[tuple(rng.choice(large))] += relative
        return factor

    return find


def one_row(grad, rng):
    """Return the factors that negate a row of a gradient, or None if it has no other row."""
    rows = np.flatnonzero(grad.reshape(len(grad), -1).any(axis=1))
    if len(rows) < 2:
        return None
    factor = np.ones(grad.shape)
    factor[rng.choice(rows)] = -1
    return factor


def edited(network, edits, rng):
    """Return a network with one of the edits made in its file, and the first gradient changed."""
    source = network.path.read_text()
    start = source.index("def backward")
    found = [(match, new) for old, new in edits for match in re.finditer(old, source)]
    found = [(match, new) for match, new in found if match.start() > start or "1e-" in match[0]]
    exact = in_dtype(network, np.float64)
    right = gradients(exact)
    for index in rng.permutation(len(found)):
        match, new = found[index]
        text = source[: match.start()] + match.expand(new) + source[match.end() :]
        module = ModuleType(side_of(network.name).__name__)
        module.__package__ = side_of(network.name).__package__
        exec(compile(text, str(network.path), "exec"), module.__dict__)
        wrong = replace(network, backward=module.backward)
        changed = gradients(replace(exact, backward=module.backward))
        for where, grad in right.items():
            size = np.sqrt(np.square(grad).mean())
            if not np.abs(changed[where] - grad).max() <= LEAST * size:
                return wrong, where
    return None


if __name__ == "__main__":
    main()
