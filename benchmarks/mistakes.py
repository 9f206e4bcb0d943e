"""Are small mistakes found, anywhere? `python benchmarks/mistakes.py --trials 100`.

Draws every architecture with 10 to 1,000 rows, makes one mistake in its backward pass, and counts
how many are missed (nothing failed) and misplaced (something failed, but not the quantity with
the mistake). The mistakes:

    entry    one entry of a gradient, of at least a tenth of their typical size, is off by a
             relative 1e-8 (float64) or 1e-4 (the other dtypes' data)
    negated  one row of a gradient has the other sign
    row      a sum over the rows, or over what is looked up, leaves out the first: the line is
             edited and the file run again
"""

import argparse
import re
from dataclasses import replace
from types import ModuleType

import numpy as np
import torch

from benchmarks.architectures import ARCHITECTURES, draw, side_of
from handgrad.findings import FAILED
from handgrad.pipeline import check
from handgrad.run.hand_written import run_hand_written
from handgrad.run.precision import PRECISIONS

KINDS = ("entry", "negated", "row")
RELATIVE = {"float64": 1e-8, "float32": 1e-4}
# of a row that is left out: by less of its typical size a gradient is not changed
LEAST = {"float64": 1e-6, "float32": 1e-3}
# What sums over the first axis, and the same without the first row.
SUMS = (
    (r"(\b[\w\[\]\"]+)\.T @ (\w+)", r"\1[1:].T @ \2[1:]"),
    (r"(\bgrad_\w+)\.sum\(axis=(0|\(0, )", r"\1[1:].sum(axis=\2"),
    (r"(np\.einsum\(\"n\w+,n\w+->[^n\"]+\"), ([\w\[\]\"]+), (\w+)\)", r"\1, \2[1:], \3[1:])"),
    (r"np\.add\.at\((grad_\w+), (\w+), (\w+)\)", r"np.add.at(\1, \2[1:], \3[1:])"),
)


def main():
    """Print for each architecture, dtype and kind how many mistakes were missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=20, metavar="N", help="of each row")
    parser.add_argument("--dtype", action="append", choices=list(RELATIVE))
    parser.add_argument("--only", action="append", choices=ARCHITECTURES)
    options = parser.parse_args()
    torch.set_num_threads(1)
    for name in options.only or ARCHITECTURES:
        for dtype in options.dtype or RELATIVE:
            for kind in KINDS:
                print_row(name, dtype, kind, options.trials)


def print_row(name, dtype, kind, trials):
    """Make a mistake of one kind in so many draws, and print how many were missed."""
    made = 0
    missed, misplaced = [], []
    for seed in range(trials):
        planted = plant(name, dtype, kind, seed)
        if planted is None:
            continue
        made += 1
        network, where = planted
        report = check(network, precision=PRECISIONS[dtype])
        failed = {finding.name for finding in report.findings if finding.verdict in FAILED}
        if not failed:
            missed.append((seed, where))
        elif where not in failed:
            misplaced.append((seed, where))
    said = "".join(
        f"  {word}: {', '.join(f'{seed} {where}' for seed, where in some[:5])}"
        for word, some in (("missed", missed), ("misplaced", misplaced))
        if some
    )
    print(
        f"{name:<20} {dtype:<8} {kind:<8} {made:>4} made {len(missed):>4} missed "
        f"{len(misplaced):>4} misplaced{said}",
        flush=True,
    )


def plant(name, dtype, kind, seed):
    """Return a network with one mistake and the quantity it is in; None where it makes none."""
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    rows = int(10 ** rng.uniform(1, 3))
    network = draw(name, dtype, seed, **{ROWS.get(name, "n"): rows})
    if kind == "row":
        return leave_out_a_row(network, dtype, rng)
    right = gradients(network)
    pick = {"entry": off_by_a_little, "negated": negate_a_row}[kind]
    for where in rng.permutation(list(right)):
        changed = pick(right[where], RELATIVE[dtype], rng)
        if changed is not None:
            return replace(network, backward=returning(network.backward, where, changed)), where
    return None


ROWS = {"gather_scatter": "edges"}  # the size of what is added up, where it is not n


def gradients(network):
    """Return the gradients of a network's hand-written side."""
    with np.errstate(all="ignore"):
        trace = run_hand_written(network)
    return {name: grad for name, grad in trace.items() if name.startswith("grad_")}


def returning(backward, where, changed):
    """Return a backward pass with one gradient's changes: what `changed` is."""

    def wrong(params, x, y, values):
        return {**backward(params, x, y, values), where: changed}

    return wrong


def off_by_a_little(grad, relative, rng):
    """Return a gradient with one entry off, or None if it has none of size."""
    sizes = np.abs(grad)
    large = np.argwhere(sizes >= 0.1 * np.sqrt(np.square(sizes).mean()))
    if not sizes.any():
        return None
    changed = grad.copy()
    changed[tuple(rng.choice(large))] *= 1 + relative
    return changed


def negate_a_row(grad, _relative, rng):
    """Return a gradient with one of its rows negated, or None if it has no other row."""
    rows = np.flatnonzero(grad.reshape(len(grad), -1).any(axis=1))
    if len(rows) < 2:
        return None
    changed = grad.copy()
    changed[rng.choice(rows)] *= -1
    return changed


def leave_out_a_row(network, dtype, rng):
    """Return a network one of whose sums is without its first row, and the gradient it is in."""
    source = network.path.read_text()
    start = source.index("def backward")
    found = [
        (match, instead)
        for pattern, instead in SUMS
        for match in re.finditer(pattern, source[start:])
    ]
    right = gradients(network)
    for index in rng.permutation(len(found)):
        match, instead = found[index]
        edited = source[: start + match.start()] + match.expand(instead)
        edited += source[start + match.end() :]
        module = ModuleType(f"{side_of(network.name).__name__}_wrong")
        module.__package__ = side_of(network.name).__package__
        exec(compile(edited, str(network.path), "exec"), module.__dict__)
        wrong = replace(network, backward=module.backward)
        for where, grad in gradients(wrong).items():  # the first that is another
            size = np.sqrt(np.square(right[where]).mean())
            if np.abs(grad - right[where]).max() > LEAST[dtype] * size:
                return wrong, where
    return None


if __name__ == "__main__":
    main()
