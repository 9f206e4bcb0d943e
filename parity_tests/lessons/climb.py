"""The ladder as a page: every rung run, and held against NumPy by the same check."""

import ast
import importlib
import inspect
from typing import NamedTuple

import numpy as np

from manual import two_layer_relu
from manual.training import train as manual_train
from parity_tests import variants
from parity_tests.compare.drift import Drift, apart, loss_tolerance
from parity_tests.compare.trace import to_numpy
from parity_tests.compare.weights import to_tensor
from parity_tests.lessons.source import Code, file_name
from parity_tests.own.check import check
from parity_tests.own.lines import Line
from parity_tests.report import Report
from torch_ref.ladder import RUNGS
from torch_ref.two_layer_relu import PARAMETERS, Net

VARIANT = "two_layer_relu"


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
    params, x, y = variants.draw(VARIANT)
    rates = two_layer_relu.LEARNING_RATES
    _, ours = manual_train(two_layer_relu, params, x, y, rates)
    allowed = loss_tolerance(two_layer_relu, params, x, y, rates)
    found = []
    for name in RUNGS:
        module = importlib.import_module(f"torch_ref.ladder.{name}")
        losses, grads = climb(module, params, x, y, rates[:1])
        report = check({**params, "loss": losses[0], **grads}, Net(), x, y, names=PARAMETERS)
        losses, _ = climb(module, params, x, y, rates)
        drift = Drift(np.array(ours), losses, apart(np.array(ours), losses), allowed)
        title, text = (inspect.getdoc(module) or "").split("\n\n", 1)
        found.append(Rung(name, title, text, code_below_the_docstring(module), report, drift))
    return found


def climb(module, params, x, y, rates):
    """Run a rung from NumPy arrays; return its losses, and the gradients of the last step."""
    more = {"backend": "aot_eager"} if module.__name__.endswith("compiled") else {}
    tensors = {name: to_tensor(w) for name, w in params.items()}
    losses, grads, _ = module.train(tensors, to_tensor(x), to_tensor(y), rates, **more)
    return np.array(losses), {name: to_numpy(grad) for name, grad in grads.items()}


def code_below_the_docstring(module):
    """Return the Code of a module from its imports on."""
    source = inspect.getsource(module)
    first = ast.parse(source).body[1].lineno
    below = enumerate(source.splitlines()[first - 1 :], first)
    return Code(file_name(module), [Line(number, line) for number, line in below])
