"""Speed as ratios: `make bench`, or `python benchmarks/speed.py`.

Each row times two things in turn, A B A B ..., in one run on one machine, and prints the
ratio A / B of each pair: its median and its range. What a row may cost stands beside it.
"""

import subprocess
import sys
import time
from statistics import median

import numpy as np

from handgrad.load.gallery import imported, manual_side

network = manual_side("three_layer_relu_bias")
step, train = imported("manual.training").step, imported("manual.training").train

LEARNING_RATE = 1e-4


def notebook_step(params, x, y):
    """Take one step the notebook's way: `.dot`, masks by assignment, products with ones."""
    w1, b1, w2 = params["w1"], params["b1"], params["w2"]
    b2, w3, b3 = params["b2"], params["w3"], params["b3"]
    h1 = x.dot(w1) + b1
    h1_relu = np.maximum(h1, 0)
    h2 = h1_relu.dot(w2) + b2
    h2_relu = np.maximum(h2, 0)
    y_pred = h2_relu.dot(w3) + b3
    np.square(y_pred - y).sum()
    grad_y_pred = 2.0 * (y_pred - y)
    grad_w3 = h2_relu.T.dot(grad_y_pred)
    grad_b3 = grad_y_pred.T.dot(np.ones((grad_y_pred.shape[0], y.shape[1])))
    grad_h2_relu = grad_y_pred.dot(w3.T)
    grad_h2 = grad_h2_relu.copy()
    grad_h2[h2 < 0] = 0
    grad_w2 = h1_relu.T.dot(grad_h2)
    grad_b2 = grad_h2.T.dot(np.ones((grad_h2.shape[0], 1)))
    grad_h1_relu = grad_h2.dot(w2.T)
    grad_h1 = grad_h1_relu.copy()
    grad_h1[h1 < 0] = 0
    grad_w1 = x.T.dot(grad_h1)
    grad_b1 = grad_h1.T.dot(np.ones((grad_h1.shape[0], 1)))
    w1 -= LEARNING_RATE * grad_w1
    w2 -= LEARNING_RATE * grad_w2
    w3 -= LEARNING_RATE * grad_w3
    b1 -= LEARNING_RATE * grad_b1.reshape(-1)
    b2 -= LEARNING_RATE * grad_b2.reshape(-1)
    b3 -= LEARNING_RATE * grad_b3.reshape(-1)


def our_step(params, x, y):
    """Take the same step with `manual/`."""
    values = network.forward(params, x, y)
    grads = network.backward(params, x, y, values)
    step(params, grads, LEARNING_RATE)


def products_alone(params, x, y):
    """Return a function that computes just the 8 matrix products of a step, into place."""
    values = network.forward(params, x, y)
    grads = network.backward(params, x, y, values)
    w1, w2, w3 = params["w1"], params["w2"], params["w3"]
    pairs = [
        (x, w1, "h1"),
        (values["h1_relu"], w2, "h2"),
        (values["h2_relu"], w3, "y_pred"),
        (values["h2_relu"].T, grads["grad_y_pred"], "grad_w3"),
        (grads["grad_y_pred"], w3.T, "grad_h2_relu"),
        (values["h1_relu"].T, grads["grad_h2"], "grad_w2"),
        (grads["grad_h2"], w2.T, "grad_h1_relu"),
        (x.T, grads["grad_h1"], "grad_w1"),
    ]
    results = {name: np.empty_like({**values, **grads}[name]) for _, _, name in pairs}

    def run():
        for left, right, name in pairs:
            np.matmul(left, right, out=results[name])

    return run


def seconds(function, times):
    """Time `times` calls of a function."""
    start = time.perf_counter()
    for _ in range(times):
        function()
    return time.perf_counter() - start


def process(*arguments):
    """Return a function that runs a Python process to its end."""
    command = [sys.executable, *arguments]
    return lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def compare(title, a, b, limit, rounds, times=1):
    """Time a and b in turn, `times` calls at a time, and print the ratio."""
    seconds(a, 1), seconds(b, 1)
    pairs = [(seconds(a, times) / times, seconds(b, times) / times) for _ in range(rounds)]
    show(title, pairs, limit)


def show(title, pairs, limit):
    """Print the median and the range of the ratios of pairs of seconds."""
    ratios = [a / b for a, b in pairs]
    print(
        f"{title:<58} {median(ratios):5.3g} x ({min(ratios):.3g} to {max(ratios):.3g}), "
        f"at most {limit:.3g} x; {len(pairs)} rounds, median "
        f"{median(a for a, _ in pairs):.3g} s against {median(b for _, b in pairs):.3g} s",
        flush=True,
    )


def step_against_products(rounds):
    """Time the steps of a large float32 training run, each after its products alone.

    `train` asks for a learning rate before each step: what passes until it asks for the next
    is one step, forward, backward and update, with the memory as a training run has it.
    """
    drawn, x, y = network.init(np.random.default_rng(0), 1024, 1024, 1024, 1024, 10)
    params = {name: w.astype(np.float32) / 32 for name, w in drawn.items()}
    x, y = x.astype(np.float32), y.astype(np.float32)
    products = products_alone(params, x, y)
    pairs = []

    def learning_rates():
        for _ in range(rounds + 2):
            start = time.perf_counter()
            products()
            middle = time.perf_counter()
            yield 1e-9
            pairs.append((time.perf_counter() - middle, middle - start))

    train(network, params, x, y, learning_rates())
    show("one step, 1024 x 1024 x 1024 x 1024 x 10, against products", pairs[2:], limit=1.1)


def main():
    """Print every row."""
    params, x, y = network.init(np.random.default_rng(0))
    own = {name: w.copy() for name, w in params.items()}  # the notebook's way updates in place
    compare(
        "one step, notebook's size, against the notebook's way",
        lambda: our_step(params, x, y),
        lambda: notebook_step(own, x, y),
        limit=1.0,
        rounds=41,
        times=200,
    )
    step_against_products(rounds=61)
    torch = process("-c", "import torch")
    compare("handgrad check against import torch", process("-m", "handgrad"), torch, 1.4, 9)
    compare("handgrad --help", process("-m", "handgrad", "--help"), torch, 0.35, 9)
    compare("handgrad list", process("-m", "handgrad", "list"), torch, 0.35, 9)


if __name__ == "__main__":
    main()
