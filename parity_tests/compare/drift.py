"""Two training runs side by side: how far the losses drift apart, and what rounding allows.

Each step starts from weights that the step before it rounded, so rounding errors add up and
the network amplifies them. How far they take the losses is measured like any other noise:
the run is repeated in float64 with the data and, at every step, the weights moved by some
last bits of the dtype under test.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from manual.training import step, train
from parity_tests import variants
from parity_tests.compare.devices import exact_float32
from parity_tests.compare.noise import SAFETY, jiggle
from parity_tests.compare.run import build_reference
from parity_tests.compare.trace import like
from torch_ref.training import train as torch_train

DRAWS = 6  # more than for one pass: a draw meets another kink, or none

# All draws can miss one step, so the noise is taken over the steps around it as well.
WINDOW = 10


def train_both(name, params, x, y, learning_rates, device="cpu", progress=iter):
    """Train a variant's two versions from the same weights, one step for each learning rate.

    `progress` wraps the learning rates of each side in turn, to show how far it is. Returns
    two arrays: the losses before each step, of the hand-written version and of PyTorch's.
    """
    network = variants.manual_side(name)
    with np.errstate(over="ignore", invalid="ignore"), exact_float32():
        model, _, loss_fn = build_reference(name, params, device)
        _, ours = train(network, params, x, y, progress(learning_rates))
        rates = progress(learning_rates)
        theirs = torch_train(model, loss_fn, like(x, model), like(y, model), rates)
    return np.array(ours), np.array(theirs)


def relative_drift(ours, theirs):
    """Return |ours - theirs| / |theirs| at each step, 0 where the two are equal.

    Where a loss is not finite on both sides the drift is 0, where on one side only, inf.
    """
    finite = np.isfinite(ours) & np.isfinite(theirs)
    apart = np.where(np.isfinite(ours) == np.isfinite(theirs), 0.0, np.inf)
    np.subtract(ours, theirs, where=finite, out=apart)
    scale = np.where(finite & (theirs != 0), np.abs(theirs), 1.0)
    return np.abs(apart) / scale


def loss_tolerance(network, params, x, y, learning_rates):
    """Return the largest difference of the loss before each step that rounding can explain.

    Each draw moves the numbers by SAFETY last bits at once, rather than by one with the
    outcome multiplied: so it also meets the kinks that rounding may carry an entry across,
    where a run goes on from another gradient and both ways are right.
    """
    info = np.finfo(x.dtype)
    eps, tiny = SAFETY * float(info.eps), float(info.tiny)
    rng = np.random.default_rng(0)
    params = {name: np.asarray(w, np.float64) for name, w in params.items()}
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)

    def jiggled(array):
        return jiggle(array, eps, tiny, rng)

    with np.errstate(over="ignore", invalid="ignore"):
        _, exact = train(network, params, x, y, learning_rates)
        noise = eps * np.abs(exact)
        for _ in range(DRAWS):
            x_draw, y_draw, weights, losses = jiggled(x), jiggled(y), params, []
            for learning_rate in learning_rates:
                weights = {name: jiggled(w) for name, w in weights.items()}
                values = network.forward(weights, x_draw, y_draw)
                losses.append(float(values["loss"]))
                grads = network.backward(weights, x_draw, y_draw, values)
                step(weights, grads, learning_rate)
            noise = np.fmax(noise, np.abs(np.subtract(losses, exact)))
    around = np.pad(noise, WINDOW, mode="edge")
    return sliding_window_view(around, 2 * WINDOW + 1).max(axis=1)
