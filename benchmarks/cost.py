"""What a check costs, as ratios: `make bench`, or `python benchmarks/cost.py`.

Each row times a check and the bare passes that it is about, in turn, in one process: the
hand-written forward and backward pass, those of PyTorch from the same weights, and comparing all
quantities once. Rows may be named: `python benchmarks/cost.py right wrong`.
"""

import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
import torch

from benchmarks.architectures import draw
from benchmarks.speed import compare, seconds, show
from handgrad.load import gallery
from handgrad.pipeline import check

NAME = "three_layer_relu_bias"

# numbers of parameters, the width of the layers, and rounds
WIDTHS = {10**4: (67, 41), 10**5: (218, 21), 10**6: (701, 9), 10**7: (2230, 5)}


def network_of(width):
    """Return the network with layers of a width, 64 rows, in float64."""
    return gallery.load(NAME, sizes={"d_in": width, "h1": width, "h2": width, "d_out": 10})


def bare_passes(network):
    """Return a function that makes the passes of both sides, and compares all quantities once."""
    reference = network.reference
    model = reference.model.double()
    for name, entry in reference.parameters.items():
        weight = torch.tensor(network.params[name])
        weight = weight.T.contiguous() if entry.endswith(".T") else weight
        model.get_parameter(entry.removesuffix(".T")).data = weight
    x, y = torch.tensor(network.x), torch.tensor(network.y)
    names = [path for path, _ in model.named_children()]

    def run():
        values = network.forward(network.params, network.x, network.y)
        actual = {**values, **network.backward(network.params, network.x, network.y, values)}
        expected = {}
        tensor = x
        for name in names:
            tensor = expected[name] = getattr(model, name)(tensor)
            tensor.retain_grad()
        expected["loss"] = reference.loss_fn(tensor, y)
        model.zero_grad()
        expected["loss"].backward()
        grads = {f"grad_{name}": tensor.grad for name, tensor in expected.items() if name in names}
        for name, entry in reference.parameters.items():
            grad = model.get_parameter(entry.removesuffix(".T")).grad
            grads[f"grad_{name}"] = grad.T if entry.endswith(".T") else grad
        for name, array in {**expected, **grads}.items():
            np.abs(np.subtract(actual[name], array.detach().numpy())).max()

    return run


def with_wrong(network, change):
    """Return a network whose gradient of w2 is another."""

    def backward(*arguments):
        grads = network.backward(*arguments)
        return {**grads, "grad_w2": change(grads["grad_w2"])}

    return replace(network, backward=backward)


def noisy(grad):
    """Add to a gradient what no cause explains."""
    noise = np.random.default_rng(0).standard_normal(grad.shape)
    return grad + 0.1 * noise * np.abs(grad).mean()


def row(title, parameters, limit, network):
    """Time a check of a network, right or not, against the bare passes of the right one."""
    width, rounds = WIDTHS[parameters]
    title = f"{title}, {parameters:,} parameters, against bare passes"
    compare(title, partial(check, network), bare_passes(network_of(width)), limit, rounds)


def right_rows():
    """Time a check of a right derivation."""
    for parameters, (width, _) in WIDTHS.items():
        network = network_of(width)
        assert check(network).verdict == "match"
        row("right", parameters, 2.0, network)


def wrong_rows():
    """Time a check of a derivation with one wrong gradient."""
    for parameters in (10**5, 10**6):
        network = network_of(WIDTHS[parameters][0])
        for title, change, limit in (("sign", np.negative, 5.0), ("unknown", noisy, 10.0)):
            wrong = with_wrong(network, change)
            causes = {f.name: f.cause.kind for f in check(wrong).findings if f.cause}
            assert causes == {"grad_w2": title}, causes
            row(f"wrong, {title}", parameters, limit, wrong)


def steps_rows():
    """Time a recurrent network with two wrong lines: a step of many against one of 10."""

    def with_two_wrong(t):
        network = draw("recurrent_steps", t=t, n=8, d=8, h=8, d_out=2)

        def backward(params, x, y, values):
            grads = network.backward(params, x, y, values)
            return {**grads, "grad_w": -grads["grad_w"], "grad_h_3": 3 * grads["grad_h_3"]}

        return replace(network, backward=backward)

    few = with_two_wrong(10)
    assert check(few).verdict == "mismatch"
    for t in (20, 40, 80):
        many = with_two_wrong(t)
        pairs = [
            (seconds(partial(check, many), 1) / t, seconds(partial(check, few), 1) / 10)
            for _ in range(7)
        ]
        show(f"two wrong lines, each of {t} time steps against each of 10", pairs, 1.5)


def memory_rows():
    """Measure the peak of memory of a check in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.cost", "peak"]
    runs = [subprocess.run(command, check=True, capture_output=True, text=True) for _ in range(3)]
    multiples = [float(run.stdout) for run in runs]
    print(
        f"{'memory of a right check, 10,000,000 parameters':<58} {median(multiples):5.3g} x "
        f"({min(multiples):.3g} to {max(multiples):.3g}) the parameters' bytes, at most 4 x"
    )


def peak():
    """Print by how many times the parameters' bytes memory grows in a right check."""
    check(network_of(8))  # what is loaded at first use
    network = network_of(WIDTHS[10**7][0])
    Path("/proc/self/clear_refs").write_text("5")  # the peak so far is forgotten: Linux's way
    before = peak_memory()
    check(network)
    print((peak_memory() - before) / sum(array.nbytes for array in network.params.values()))


def peak_memory():
    """Return the most memory that this process has had, in bytes.

    `resource` would say the most that the process had which started it, where that is more.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


ROWS = {"right": right_rows, "memory": memory_rows, "wrong": wrong_rows, "steps": steps_rows}


def main():
    """Print the rows named on the command line, or every row."""
    if sys.argv[1:] == ["peak"]:
        peak()
        return
    for name in sys.argv[1:] or ROWS:
        ROWS[name]()


if __name__ == "__main__":
    main()
