"""The ladder as a page: every rung run, and held against NumPy by the same check."""

import ast
import inspect
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch

from handgrad.lessons.source import Code, file_name, numbered
from handgrad.load import gallery
from handgrad.pipeline import check
from handgrad.report import Report
from handgrad.run.precision import FLOAT64, as_tensor, to_numpy
from handgrad.train.drift import Drift, apart, loss_tolerance, train_hand_written

FIRST = "two_layer_relu"  # its hand-written side is rung 1
RUNGS = gallery.imported("torch_ref.ladder").RUNGS


class Rung(NamedTuple):
    """One rung: what it says of itself, its code, the check of one step, and its training."""

    name: str
    title: str
    text: str
    code: Code
    report: Report
    drift: Drift


def rungs():
    """Climb the ladder: return each Rung above NumPy, trained as the notebook trains."""
    network, rates = gallery.load(FIRST), gallery.learning_rates(FIRST)
    _, actual = train_hand_written(network, rates)
    tolerance = loss_tolerance(network, rates, FLOAT64)
    found = []
    for name in RUNGS:
        module = gallery.imported(f"torch_ref.ladder.{name}")
        report = check_a_step(network, module, rates[0])
        losses, _ = climb(module, network, rates)
        drift = Drift(actual, losses, apart(actual, losses), tolerance)
        title, _, text = (inspect.getdoc(module) or name).partition("\n\n")
        found.append(Rung(name, title, text, code_below_the_docstring(module), report, drift))
    return found


def check_a_step(network, module, rate):
    """Check the loss and the gradients of a rung's first step, and return the Report."""
    losses, grads = climb(module, network, [rate])
    found = {"loss": losses[0], **grads}
    return check(replace(network, quantities=found, is_complete=False, forward=None, path=None))


def climb(module, network, rates):
    """Run a rung from a Network; return its losses, and the gradients of the last step."""
    more = {"backend": "aot_eager"} if module.__name__.endswith("compiled") else {}
    params = {name: as_tensor(w, torch.float64, "cpu") for name, w in network.params.items()}
    x, y = (as_tensor(array, torch.float64, "cpu") for array in (network.x, network.y))
    losses, grads, _ = module.train(params, x, y, rates, **more)
    return np.array(losses), {name: to_numpy(grad) for name, grad in grads.items()}


def code_below_the_docstring(module):
    """Return the Code of a module from its imports on."""
    source = inspect.getsource(module)
    tree = ast.parse(source)
    first = tree.body[1].lineno if ast.get_docstring(tree) else 1
    return Code(file_name(module), numbered(source.splitlines()[first - 1 :], first))
