"""The ladder as a page: every rung run, and held against NumPy by the same check."""

import ast
import inspect
from typing import NamedTuple

import numpy as np

from manual.training import train as manual_train
from handgrad.load import gallery as variants
from handgrad.train.drift import Drift, apart, loss_tolerance
from handgrad.run.trace import to_numpy
from handgrad.run.weights import to_tensor
from handgrad.lessons.source import Code, file_name, numbered
from handgrad.load.variables import check
from handgrad.report import Report
from torch_ref.ladder import RUNGS

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
    network = variants.manual_side(VARIANT)
    rates = network.LEARNING_RATES
    ours = np.array(manual_train(network, params, x, y, rates)[1])
    allowed = loss_tolerance(network, params, x, y, rates)
    side = variants.torch_side(VARIANT)
    found = []
    for name in RUNGS:
        module = variants.imported(f"torch_ref.ladder.{name}")
        losses, grads = climb(module, params, x, y, rates[:1])
        given = {**params, "loss": losses[0], **grads}
        report = check(given, side.Net(), x, y, names=side.PARAMETERS)
        losses, _ = climb(module, params, x, y, rates)
        drift = Drift(ours, losses, apart(ours, losses), allowed)
        title, _, text = (inspect.getdoc(module) or name).partition("\n\n")
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
    tree = ast.parse(source)
    first = tree.body[1].lineno if ast.get_docstring(tree) else 1
    return Code(file_name(module), numbered(source.splitlines()[first - 1 :], first))
