"""Is a right derivation ever called wrong? `python benchmarks/never_wrong.py 1000`.

Draws weights and data of every network again and again, of any sizes and scales, with rows of
zeros, repeated rows, saturated sigmoids and targets that are all but reached, and judges the
hand-written version. Prints for each network and dtype how many trials had a quantity called
`wrong` or `accumulated`, and the seeds of these.
"""

import sys

import torch

from handgrad.load.gallery import GALLERY
from parity_tests.meta_tests.awkward import wrong_quantities


def main():
    """Print a row for each network and dtype; exit 1 if any right quantity was called wrong."""
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    torch.set_num_threads(1)
    failed = 0
    for name in GALLERY:
        for dtype in ("float64", "float32"):
            wrong = [seed for seed in range(trials) if wrong_quantities(name, dtype, seed)]
            failed += len(wrong)
            seeds = f": seeds {wrong[:10]}" if wrong else ""
            print(f"{name:<25} {dtype}  {len(wrong)} of {trials} called wrong{seeds}", flush=True)
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
