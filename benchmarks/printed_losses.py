"""Are the losses that the notebook prints plausible? `make evidence`.

The notebook draws without a seed, so its numbers cannot be had again. But its networks can be
drawn 2,000 times and trained the same way: each printed loss has to lie inside the central
99.9 % of what comes out. Printed are the first loss, the second, the eleventh and the last
that is legible in our copy of the notebook.
"""

import sys

import numpy as np

from handgrad.load.gallery import imported, manual_side

train = imported("manual.training").train

DRAWS = 2000

# For each network: a step of the whole programme, and the loss that is printed there. The
# loop of 500 begins with step 1 where one step was taken before it.
PRINTED = {
    "two_layer_relu": {0: 27267.166583942602, 1: 26879.553559643693, 2: 9686.489363346154}
    | {11: 3415.537400880732, 47: 154.24997058870719},
    "three_layer_relu": {0: 415.4068683305306, 1: 223.76432649903296, 2: 183.36191929631218}
    | {11: 122.78490185120677, 439: 39.16582646790616},
    "three_layer_relu_bias": {1: 755.4653338851945, 2: 434.10708543851166}
    | {11: 113.94865529457192, 47: 78.28841580814493},
    # as printed, with h2_sigm computed from h1
    "three_layer_sigmoid_bias_printed": {0: 860.0267744323311, 1: 791.9521853093061}
    | {10: 395.72381708552945, 45: 101.95695281310844},
}


def run(network, seed, rates):
    """Draw weights and data from a seed, train on them and return the losses."""
    params, x, y = network.init(np.random.default_rng(seed))
    return train(network, params, x, y, rates)[1]


def percentile(losses, printed):
    """Return how many of `losses` lie below `printed`, in percent; one equal counts half."""
    return 100 * float(np.mean(losses < printed) + np.mean(losses == printed) / 2)


def main():
    """Print a row for each printed loss; exit 1 if any is implausible."""
    implausible = 0
    for name, printed in PRINTED.items():
        network = manual_side(name)
        rates = network.LEARNING_RATES[: max(printed) + 1]
        with np.errstate(over="ignore", invalid="ignore"):  # some draws run away
            runs = np.array([run(network, seed, rates) for seed in range(DRAWS)])
        for step, loss in printed.items():
            rank = percentile(np.nan_to_num(runs[:, step], nan=np.inf), loss)
            inside = 0.05 <= rank <= 99.95
            implausible += not inside
            print(
                f"{name:<33} step {step:>3}: printed {loss:>10.2f}, percentile {rank:6.2f} of "
                f"{DRAWS} draws: {'plausible' if inside else 'NOT PLAUSIBLE'}",
                flush=True,
            )
    sys.exit(implausible > 0)


if __name__ == "__main__":
    main()
