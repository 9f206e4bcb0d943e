"""Does the comparison keep quiet, and does it catch a small error? `make evidence`.

Compares every variant on weights and data of many seeds, and counts what does not match and
how close the worst came to its tolerance; then plants a relative error in each gradient in
turn, and counts what is not caught. `python benchmarks/seeds.py 50` takes 50 seeds.
"""

import sys
from types import SimpleNamespace

from handgrad.load import gallery as variants
from handgrad.compare.judge import largest_difference
from handgrad.run.precision import PRECISIONS
from handgrad.run.trace import manual_trace
from handgrad.pipeline import compare, draw

PLANTED = {"float64": 1e-9, "float32": 1e-3, "tf32": 0.1, "bfloat16": 1.0}


def examine(variant, dtype, seeds):
    """Compare a variant on each seed, print one row, return how many did not match."""
    network = variants.manual_side(variant)
    mismatches, worst, missed, planted = 0, (0.0, ""), [], 0
    for seed in range(seeds):
        params, x, y = draw(variant, seed, PRECISIONS[dtype])
        report = compare(variant, params, x, y, precision=PRECISIONS[dtype])
        mismatches += not report.ok
        worst = max(worst, (report.worst.ratio, f"{report.worst.name}, seed {seed}"))
        given = manual_trace(network, params, x, y)
        for finding in report.findings:
            if finding.kind == "gradient":
                right = given[finding.name]
                wrong = right * right.dtype.type(1 + PLANTED[dtype])
                planted += 1
                if largest_difference(wrong, right) <= finding.tolerance:
                    # the whole run allows it, but the step on its own may not
                    changed = with_gradient(network, finding.name, wrong)
                    precision = PRECISIONS[dtype]
                    if compare(variant, params, x, y, precision=precision, network=changed).ok:
                        missed.append(f"{finding.name} of seed {seed}")
    print(
        f"{variant:<25} {dtype:<9} {seeds - mismatches} of {seeds} match, "
        f"worst {worst[0]:.3f} of its tolerance ({worst[1]}); "
        f"{PLANTED[dtype]:.0e} planted: {planted - len(missed)} of {planted} caught"
        + (f", not {', '.join(missed[:5])}{', …' * (len(missed) > 5)}" if missed else ""),
        flush=True,
    )
    return mismatches


def with_gradient(network, name, grad):
    """Return a hand-written network in whose backward pass one gradient is another."""
    return SimpleNamespace(
        __file__=network.__file__,
        forward=network.forward,
        backward=lambda *arguments: {**network.backward(*arguments), name: grad},
    )


def main():
    """Print a row for each variant and dtype; exit 1 if any did not match."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    mismatches = 0
    for variant in variants.VARIANTS:
        for dtype in PLANTED:
            mismatches += examine(variant, dtype, seeds)
    sys.exit(mismatches > 0)


if __name__ == "__main__":
    main()
