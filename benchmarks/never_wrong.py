"""Is a right derivation ever called wrong? `python benchmarks/never_wrong.py 1000`.

Draws weights and data of every variant again and again, of any sizes and scales, with rows of
zeros, repeated rows, saturated sigmoids and targets that are all but reached, and judges each
step of the hand-written version. Prints for each variant and dtype how many trials had a
quantity called `wrong`, and the seeds of these.
"""

import sys

import numpy as np
import torch

from parity_tests import variants
from parity_tests.compare.trace import manual_trace
from parity_tests.explain.verdicts import verdicts
from parity_tests.run import build_reference


def draw(variant, dtype, seed):
    """Draw `params, x, y` of some awkward kind."""
    rng = np.random.default_rng(seed)
    sizes = {name: int(rng.integers(1, 12)) for name in variants.sizes(variant)}
    params, x, y = variants.draw(variant, seed, np.dtype(dtype), **sizes)
    spread = rng.choice([0.0, 1.0, 3.0])  # of the scales' exponents
    for array in (*params.values(), x, y):
        array *= array.dtype.type(10.0 ** (spread * rng.standard_normal()))
    if rng.random() < 0.3:
        x[rng.integers(0, len(x), len(x) // 2)] = 0
    if rng.random() < 0.2:
        x[:], y[:] = x[0], y[0]
    if rng.random() < 0.2:
        params[rng.choice(list(params))] *= 300  # sigmoids saturate
    if rng.random() < 0.3:  # near convergence the gradients cancel
        with np.errstate(all="ignore"):
            y_pred = variants.manual_side(variant).forward(params, x, y)["y_pred"]
        close = y_pred * (1 + x.dtype.type(rng.choice([0, 1e-6])) * y)
        y = np.where(np.isfinite(close), close, y).astype(dtype)
    return params, x, y


def main():
    """Print a row for each variant and dtype; exit 1 if any right quantity was called wrong."""
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    torch.set_num_threads(1)
    failed = 0
    for variant in variants.VARIANTS:
        for dtype in ("float64", "float32"):
            wrong = []
            for seed in range(trials):
                params, x, y = draw(variant, dtype, seed)
                with np.errstate(all="ignore"):
                    given = manual_trace(variants.manual_side(variant), params, x, y)
                    findings = verdicts(given, build_reference(variant, params), x, y)
                if any(finding.verdict == "wrong" for finding in findings):
                    wrong.append(seed)
            failed += len(wrong)
            seeds = f": seeds {wrong[:10]}" if wrong else ""
            print(
                f"{variant:<25} {dtype}  {len(wrong)} of {trials} called wrong{seeds}", flush=True
            )
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
