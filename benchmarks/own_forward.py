"""What a check costs whose reference is the user's own forward pass.

Loading and checking by the own forward pass and by a module are timed in turn, in one run on one
thread, and the median of their ratios is printed for each network of the gallery at its own size.
Then what is long: a network that is unrolled for 50 steps, a convolution that loops over entries.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

import torch

from handgrad.load import gallery, own
from handgrad.load.programme import of_functions
from handgrad.pipeline import check, check_file

ROUNDS = 9

UNROLLED = """
import numpy as np

def init(rng, steps=50, n=16, d=8, h=16):
    params = {"wx": 0.3 * rng.standard_normal((d, h)), "wh": 0.3 * rng.standard_normal((h, h))}
    return params, rng.standard_normal((steps, n, d)), rng.standard_normal((n, h))

def forward(params, x, y):
    h = np.zeros((len(x) + 1, x.shape[1], y.shape[1]))
    for t in range(len(x)):
        h[t] = np.tanh(x[t] @ params["wx"] + h[t - 1] @ params["wh"])
    loss = np.square(h[len(x) - 1] - y).sum()
    return loss, h

def backward(params, x, y, h):
    dwx, dwh = np.zeros_like(params["wx"]), np.zeros_like(params["wh"])
    dh = 2 * (h[len(x) - 1] - y)
    for t in reversed(range(len(x))):
        da = dh * (1 - h[t] ** 2)
        dwx += x[t].T @ da
        dwh += h[t - 1].T @ da
        dh = da @ params["wh"].T
    return {"wx": dwx, "wh": dwh}
"""

CONVOLUTION = """
import numpy as np

def init(rng, n=1, c=3, side=28, k=3, f=2):
    params = {"w": rng.standard_normal((f, c, k, k)), "b": rng.standard_normal(f)}
    return params, rng.standard_normal((n, c, side, side)), rng.standard_normal((n, f, 26, 26))

def forward(params, x, y):
    w, b = params["w"], params["b"]
    out = np.zeros(y.shape)
    for n in range(out.shape[0]):
        for f in range(out.shape[1]):
            for i in range(out.shape[2]):
                for j in range(out.shape[3]):
                    out[n, f, i, j] = (x[n, :, i:i+3, j:j+3] * w[f]).sum() + b[f]
    loss = np.square(out - y).sum()
    return loss, out

def backward(params, x, y, out):
    dout = 2 * (out - y)
    dw, db = np.zeros_like(params["w"]), dout.sum(axis=(0, 2, 3))
    for n in range(out.shape[0]):
        for f in range(out.shape[1]):
            for i in range(out.shape[2]):
                for j in range(out.shape[3]):
                    dw[f] += dout[n, f, i, j] * x[n, :, i:i+3, j:j+3]
    return {"w": dw, "b": db}
"""


def by_own_forward(name):
    """Load a network of the gallery with its own forward pass as the reference, and check it."""
    side, drawn = gallery.manual_side(name), gallery.load(name)
    programme, params = of_functions(
        vars(side),
        drawn.params,
        drawn.x,
        drawn.y,
        {side.__file__}.__contains__,
        [vars(side)],
        name,
    )
    return check(own.load(programme, params, drawn.x, drawn.y, name=name, source=name))


def by_module(name):
    """Load a network of the gallery with its module, and check it."""
    return check(gallery.load(name))


def seconds(function, *arguments):
    """Return how long a call takes on this thread; it has to find all right."""
    start = time.thread_time()
    report = function(*arguments)
    taken = time.thread_time() - start
    assert report.ok, report
    return taken


def check_source(source):
    """Check the text of a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "mine.py")
        path.write_text(source, encoding="utf-8")
        return check_file(path)[0]


def main():
    """Print a row for each network, and one for each that is long."""
    torch.set_num_threads(1)
    for name in sys.argv[1:] or gallery.GALLERY:
        for function in (by_own_forward, by_module):
            seconds(function, name)
        pairs = [(seconds(by_own_forward, name), seconds(by_module, name)) for _ in range(ROUNDS)]
        one, other = (1000 * statistics.median(times) for times in zip(*pairs, strict=True))
        ratio = statistics.median(a / b for a, b in pairs)
        print(f"{name:28} {one:7.1f} ms own forward {other:7.1f} ms module {ratio:6.2f} x")
    for title, source in (("unrolled, 50 steps", UNROLLED), ("loop convolution", CONVOLUTION)):
        seconds(check_source, UNROLLED)
        print(f"{title:28} {seconds(check_source, source):7.2f} s")


if __name__ == "__main__":
    main()
