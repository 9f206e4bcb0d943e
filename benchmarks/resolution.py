"""How small a change is still flagged? `python benchmarks/resolution.py` prints a table.

Of every weight gradient of the gallery's networks, at several numbers of rows: the tolerance of a
typical entry as a share of the largest entry. `printed` is what a check of a right derivation
prints, which needs no measuring, and `measured` what it comes to when all draws are made: the
median over the gradients, and the largest. In float64, from code that can be run again, as
whatever has a `forward` and a `backward` is judged; and in float32, as live variables are.
"""

import argparse
from dataclasses import replace

import numpy as np

from handgrad.compare.judge import judge_steps
from handgrad.compare.steps import Steps
from handgrad.load import gallery
from handgrad.run.hand_written import run_hand_written
from handgrad.run.precision import PRECISIONS, arithmetic


def main():
    """Measure, and print a row for each dtype and number of rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[64, 1_000, 100_000], metavar="N")
    rows = parser.parse_args().rows
    print(f"{'dtype':<8} {'from':<14} {'rows':>7} {'printed':>8} {'measured':>9} {'largest':>8}")
    for dtype, kind in (("float64", "code"), ("float32", "live variables")):
        for n in rows:
            found = [pair for name in gallery.GALLERY for pair in resolutions(name, dtype, n, kind)]
            printed, measured = np.array(found).T
            print(
                f"{dtype:<8} {kind:<14} {n:>7} {np.median(printed):8.0e} "
                f"{np.median(measured):9.0e} {measured.max():8.0e}",
                flush=True,
            )


def resolutions(name, dtype, n, kind):
    """Return for each weight gradient of a network the resolution without draws and with all."""
    network = gallery.load(name, dtype, sizes={"n": n})
    actual = run_hand_written(network)
    if kind != "code":
        network = replace(network, forward=None, backward=None, quantities=actual)
    weights = [f"grad_{name}" for name in network.params if name.startswith("w")]
    with arithmetic(PRECISIONS[dtype]), np.errstate(all="ignore"):
        steps = Steps(network, actual, PRECISIONS[dtype])
        before = resolution_of(steps)
        while steps.noise.draw(weights):
            pass
        after = resolution_of(steps)
    return [(before[name], after[name]) for name in weights]


def resolution_of(steps):
    """Return the resolution of each quantity as it is measured so far, by its name."""
    return {finding.name: finding.resolution for finding in judge_steps(steps)}


if __name__ == "__main__":
    main()
