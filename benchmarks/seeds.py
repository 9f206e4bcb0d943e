"""Does the comparison keep quiet, and does it catch a small error? `make evidence`.

Compares every network on weights and data of many seeds, and counts what does not match and
how close the worst came to its tolerance; then plants a relative error in each gradient in
turn, and counts what is not caught. `python benchmarks/seeds.py 50` takes 50 seeds.
"""

import sys
from dataclasses import replace

from handgrad.compare.tolerance import largest_difference
from handgrad.load import gallery
from handgrad.pipeline import check
from handgrad.run.hand_written import run_hand_written
from handgrad.run.precision import PRECISIONS
from handgrad.show.columns import worst as worst_of

PLANTED = {"float64": 1e-9, "float32": 1e-3, "tf32": 0.1, "bfloat16": 1.0}


def examine(name, dtype, seeds):
    """Compare a network on each seed, print one row, return how many did not match."""
    precision = PRECISIONS[dtype]
    mismatches, worst, missed, planted = 0, (0.0, ""), [], 0
    for seed in range(seeds):
        network = gallery.load(name, dtype, seed)
        report = check(network, precision=precision, every_draw=True)
        mismatches += not report.ok
        last = worst_of(report.findings)
        worst = max(worst, (last.ratio, f"{last.name}, seed {seed}"))
        actual = run_hand_written(network)
        for finding in report.findings:
            if finding.kind == "gradient":
                right = actual[finding.name]
                off = right * right.dtype.type(1 + PLANTED[dtype])
                planted += 1
                if largest_difference(off, right) <= finding.tolerance:
                    # one of step and whole run allows it, but the other may not
                    changed = {k: a for k, a in actual.items() if k not in network.params}
                    changed[finding.name] = off
                    if check(replace(network, quantities=changed), precision=precision).ok:
                        missed.append(f"{finding.name} of seed {seed}")
    print(
        f"{name:<25} {dtype:<9} {seeds - mismatches} of {seeds} match, "
        f"worst {worst[0]:.3f} of its tolerance ({worst[1]}); "
        f"{PLANTED[dtype]:.0e} planted: {planted - len(missed)} of {planted} caught"
        + (f", not {', '.join(missed[:5])}{', …' * (len(missed) > 5)}" if missed else ""),
        flush=True,
    )
    return mismatches


def main():
    """Print a row for each network and dtype; exit 1 if any did not match."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    mismatches = sum(examine(name, dtype, seeds) for name in gallery.GALLERY for dtype in PLANTED)
    sys.exit(mismatches > 0)


if __name__ == "__main__":
    main()
