"""Are planted mistakes found, and named right? `make evidence`.

Plants each of the mistakes of `parity_tests/meta_tests/planted.py` alone, then draws pairs and
triples of them. `python benchmarks/planted.py 100` draws 100.
"""

import random
import sys

from parity_tests.meta_tests.planted import PLANTED, check_planted, draw_several, wrong_of


def count(title, cases):
    """Check each case, print how many were named right, return how many were not."""
    found = sets = kinds = named = wrong_kinds = 0
    for network, changes, wrong in cases:
        got = wrong_of(check_planted(network, *changes))
        found += bool(got)
        sets += set(got) == set(wrong)
        for name in wrong:
            named += 1
            kinds += got.get(name) == wrong[name]
            wrong_kinds += got.get(name) not in (wrong[name], "unknown", None)
    print(
        f"{title:<18} {found} of {len(cases)} found, exactly the wrong quantities: {sets}; "
        f"causes: {kinds} of {named} right, {wrong_kinds} wrong",
        flush=True,
    )
    return len(cases) - sets


def main():
    """Print a row for single mistakes, and one for several at once."""
    several = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    singles = [
        (network, [(old, new)], wrong)
        for network, cases in PLANTED.items()
        for old, new, wrong in cases
    ]
    missed = count("one at a time", singles)
    rng = random.Random(1)
    drawn: list[tuple] = []
    while len(drawn) < several:
        if case := draw_several(rng):
            drawn.append(case)
    missed += count("two or three", drawn)
    sys.exit(missed > several // 100)


if __name__ == "__main__":
    main()
