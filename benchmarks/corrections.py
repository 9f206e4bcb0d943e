"""Is the right line found, and how fast? `python -m benchmarks.corrections`.

Each mistake that the tests plant in a network of the gallery, one at a time: whether a corrected
line is found for each quantity that is wrong, run on other draws of larger, unequal sizes; and the
computing time. Then one mistake in a large layer, 2,000 rows of 256. `--list` shows the lines.
"""

import argparse
import time
from dataclasses import replace

import numpy as np
import torch

from handgrad.explain.correct.corrected import with_fixes
from handgrad.load import gallery
from handgrad.pipeline import check
from parity_tests.meta_tests.planted import PLANTED, planted

DRAWS = 3  # the user's data and two others


def main():
    """Print how many mistakes are corrected, and in what time."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", action="store_true", help="show each corrected line")
    options = parser.parse_args()
    torch.set_num_threads(1)
    seconds, wrong, corrected, verified = [], 0, 0, 0
    for name, cases in PLANTED.items():
        for old, new, _ in cases:
            findings, spent = correct(gallery.load(name, side=planted(name, (old, new))))
            seconds.append(spent)
            for finding in findings:
                wrong += 1
                corrected += finding.fix is not None
                verified += finding.fix is not None and finding.fix.verified_on == DRAWS
                if options.list:
                    line = None if finding.fix is None else finding.fix.new
                    print(
                        f"{spent:5.2f} s  {name} {finding.name}\n    {new}\n    {line}\n    {old}"
                    )
    print(
        f"{corrected} of {wrong} wrong quantities corrected, {verified} on other sizes as well; "
        f"median {np.median(seconds):.2f} s, 95 % within {np.quantile(seconds, 0.95):.2f} s"
    )
    sizes = {"n": 2000, "d_in": 256, "h": 64, "d_out": 1}
    side = planted("two_layer_relu", ("grad_h_relu * (h > 0)", "grad_h_relu * (h < 0)"))
    findings, spent = correct(gallery.load("two_layer_relu", sizes=sizes, side=side))
    print(f"2,000 x 256: {findings[0].fix.new} in {spent:.2f} s")


def correct(network):
    """Return the Findings that are wrong with their corrections, and the seconds that they took."""
    report = check(replace(network, code=None))
    start = time.thread_time()
    findings = with_fixes(network, report.findings)
    spent = time.thread_time() - start
    return [finding for finding in findings if finding.verdict == "wrong"], spent


if __name__ == "__main__":
    main()
