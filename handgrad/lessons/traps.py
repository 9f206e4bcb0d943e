"""The traps of the bridge from NumPy to PyTorch: what goes wrong on the way, with numbers.

Each trap is a function. Its docstring is what a lesson says about it, its body what a learner
would type, and it returns expressions, as text, and what they gave. All take the same:

    net      the network in float64, with the lesson's weights
    loss_fn  its loss
    w        a hand-written weight, an array, see `weight_of`
    weight   the parameter of `net` that is w
    x, y     the data as tensors: float64, or whole numbers where they are

A body may change what it gets: `shown`, which runs a trap for a page, hands over copies. Not every
trap is one for every network: RULES says which.
"""

import ast
import copy
import inspect
import textwrap
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from handgrad.run.hand_written import named_inputs
from handgrad.run.precision import FLOAT64, TF32, arithmetic, as_tensor
from handgrad.run.reference import path_of, put_parameters
from handgrad.train.drift import Unpacking


class Trap(NamedTuple):
    """One trap, ready to be shown; `rows` maps each expression to what it gave.

    A row holds a number, a string or a tuple. In `text`, code stands in backticks.
    """

    title: str
    text: str
    code: str
    rows: dict


def transposed_weight(net, loss_fn, w, weight, x, y):
    """The weight of nn.Linear is the transpose of the hand-written w.

    `nn.Linear` computes `x @ weight.T`, so its weight is (outputs, inputs). Copy `w.T` into it and
    transpose its gradient back: a square weight goes in the wrong way round without an error.
    """
    turned = weight.T  # as it is multiplied by
    difference = (turned - torch.tensor(w)).abs().max()
    return {"w.shape": w.shape, "weight.shape": weight.shape, "difference": difference}


def averaged_loss(net, loss_fn, w, weight, x, y):
    """The default of a loss in PyTorch is the average.

    `nn.MSELoss()` averages over n x d_out numbers, `nn.CrossEntropyLoss()` over n labels. The
    loss and every gradient are smaller by that factor, so a learning rate for the sum makes steps
    that are far too short. To add up, say `reduction="sum"`, as `loss_fn` does.
    """
    averaging = copy.copy(loss_fn)
    averaging.reduction = "mean"  # the default
    summed, averaged = loss_fn(net(x), y), averaging(net(x), y)
    (grad_summed,) = torch.autograd.grad(summed, weight)
    (grad_averaged,) = torch.autograd.grad(averaged, weight)
    loss_ratio = summed / averaged
    grad_ratio = grad_summed.norm() / grad_averaged.norm()
    return {"y.shape": y.shape, "loss_ratio": loss_ratio, "grad_ratio": grad_ratio}


def added_gradients(net, loss_fn, w, weight, x, y):
    """Gradients add up in .grad until zero_grad clears them.

    By hand, `grad_w = ...` replaces the gradient of the step before; `backward()` adds to it. Call
    `zero_grad()`, of the optimizer or the network, in every step.
    """
    loss_fn(net(x), y).backward()
    once = weight.grad.norm()
    loss_fn(net(x), y).backward()
    twice = weight.grad.norm()
    net.zero_grad()
    loss_fn(net(x), y).backward()
    cleared = weight.grad.norm()
    return {"once": once, "twice": twice, "twice / once": twice / once, "cleared": cleared}


def shared_memory(net, loss_fn, w, weight, x, y):
    """A tensor from torch.from_numpy shares its memory with the array.

    Whatever changes one in place, such as `w -= ...` in a step of the training, changes the other,
    and the two versions no longer start from the same weights. `torch.tensor` copies.
    """
    shared = torch.from_numpy(w).flatten()
    copied = torch.tensor(w).flatten()
    w.flat[0] = 100  # changes the array
    shared[-1] = -100  # changes the tensor
    return {"shared[0]": shared[0], "copied[0]": copied[0], "w.flat[-1]": w.flat[-1]}


def short_numbers(net, loss_fn, w, weight, x, y):
    """The default of PyTorch is float32, that of NumPy is float64.

    A fresh layer refuses NumPy's numbers (`Double` is float64, `Float` is float32). Make the
    network float64 with `net.double()`: all in float32 costs every digit from about the 7th on.
    """
    layer = nn.Linear(*w.shape)
    try:
        layer(torch.from_numpy(w.T))
    except RuntimeError as error:
        message = str(error)
    exact = net(x)
    lost = (net.float()(x.float()) - exact).norm() / exact.norm()
    return {"layer.weight.dtype": layer.weight.dtype, "message": message, "lost": lost}


def relu_at_zero(net, loss_fn, w, weight, x, y):
    """The slope of ReLU at exactly 0 is 0 in PyTorch, and often 1 by hand.

    `grad_h[h < 0] = 0` leaves the gradient as it is where h is 0. Any slope from 0 to 1 is a
    subgradient there, so both are right, but the gradients differ. `grad_h * (h > 0)` does as
    PyTorch does. The case is not rare: without biases, a row of zeros in `x` is enough.
    """
    h = torch.tensor([-1.0, 0.0, 1.0], requires_grad=True)
    h.relu().sum().backward()
    loose = torch.ones(3)
    loose[h < 0] = 0
    strict = torch.ones(3) * (h > 0)
    return {"h": h, "h.grad": h.grad, "loose": loose, "strict": strict}


def tf32_products(net, loss_fn, w, weight, x, y):
    """With TF32, a GPU keeps only three digits of what goes into a float32 product.

    `torch.set_float32_matmul_precision("high")` allows it, `"highest"`, the default, does not: the
    dtype is float32 either way. These numbers are from the CPU, which has no TF32: `arithmetic`
    imitates it, and rounds both factors to 10 bits as a GPU does.
    """
    exact = weight @ weight.T
    short = weight.float()
    float32 = short @ short.T
    with arithmetic(TF32):
        tf32 = short @ short.T
    error = (float32 - exact).norm() / exact.norm()
    tf32_error = (tf32 - exact).norm() / exact.norm()
    return {"tf32.dtype": tf32.dtype, "error": error, "tf32_error": tf32_error}


def averaged_ranks(net, loss_fn, w, weight, x, y):
    """The gradients of DistributedDataParallel are averaged over the ranks.

    So from a summed loss, two ranks with half of the batch each get half of the gradient: let each
    rank multiply its loss by the number of ranks. Here one process plays both ranks, and averages
    by hand.
    """

    def grad(x, y):
        return torch.autograd.grad(loss_fn(net(x), y), weight)[0]

    half = len(x) // 2
    first, second = grad(x[:half], y[:half]), grad(x[half:], y[half:])
    averaged, full = ((first + second) / 2).norm(), grad(x, y).norm()
    return {"averaged": averaged, "full": full, "averaged / full": averaged / full}


TRAPS = (
    transposed_weight,
    averaged_loss,
    added_gradients,
    shared_memory,
    short_numbers,
    relu_at_zero,
    tf32_products,
    averaged_ranks,
)


def weight_of(reference):
    """Return the name and the path of the weight that the traps are shown with.

    It is the first in the table of parameters that is the weight of an nn.Linear, kept
    transposed; where there is none, the first parameter.
    """
    parameters = dict(reference.model.named_parameters())
    paths = {name: path_of(entry, parameters) for name, entry in reference.parameters.items()}
    linear = [name for name in paths if has_linear(reference, name, paths[name])]
    name = linear[0] if linear else next(iter(paths))
    return name, paths[name]


def has_linear(reference, name, path):
    """Say whether a parameter is the weight of an nn.Linear that is kept transposed."""
    owner = reference.model.get_submodule(path.rpartition(".")[0])
    return isinstance(owner, nn.Linear) and reference.parameters[name] == f"{path}.T"


def of_linear(network):
    """Say whether there is the weight of an nn.Linear to show the trap with."""
    return has_linear(network.reference, *weight_of(network.reference))


def is_summed(network):
    """Say whether the loss is PyTorch's sum of squared errors, or of cross entropies."""
    loss_fn = network.reference.loss_fn
    is_known = isinstance(loss_fn, nn.MSELoss | nn.CrossEntropyLoss)
    return is_known and loss_fn.reduction == "sum"


def has_one_input(network):
    """Say whether the network has one input."""
    return not isinstance(network.x, tuple)


def has_numbers(network):
    """Say whether there is one input, of floating-point numbers, and an nn.Linear's weight."""
    return has_one_input(network) and network.x.dtype.kind == "f" and of_linear(network)


def has_relu(network):
    """Say whether the network has an nn.ReLU."""
    return any(isinstance(module, nn.ReLU) for module in network.reference.model.modules())


def is_summed_by_row(network):
    """Say whether there is one input, and a loss that adds up over its rows."""
    return has_one_input(network) and is_summed(network)


# Of which networks a trap is one; of all, where it is not here.
RULES = {
    transposed_weight: of_linear,
    averaged_loss: is_summed,
    short_numbers: has_numbers,
    relu_at_zero: has_relu,
    tf32_products: of_linear,
    averaged_ranks: is_summed_by_row,
}


def traps_of(network):
    """Return each of TRAPS that is one of this Network, as a Trap."""
    return [shown(trap, network) for trap in TRAPS if trap not in RULES or RULES[trap](network)]


def shown(trap, network):
    """Run one of TRAPS and return it as a Trap; nothing of the Network is changed."""
    net = copy.deepcopy(network.reference.model)
    parameters = dict(net.named_parameters())
    put_parameters(network, parameters, torch.float64, "cpu")
    net.double().zero_grad()  # its buffers as well
    name, path = weight_of(network.reference)
    inputs = [as_tensor(x, torch.float64, "cpu") for x in named_inputs(network.x).values()]
    given = {
        "net": net if has_one_input(network) else Unpacking(net),
        "loss_fn": network.reference.loss_fn,
        "w": np.array(network.params[name], np.float64, order="C"),
        "weight": parameters[path],
        "x": inputs[0] if has_one_input(network) else tuple(inputs),
        "y": as_tensor(network.y, torch.float64, "cpu"),
    }
    with arithmetic(FLOAT64), torch.random.fork_rng(devices=[]):  # a fresh layer draws weights
        rows = {label: plain(value) for label, value in trap(**given).items()}
    title, text = inspect.cleandoc(trap.__doc__).split("\n\n")
    return Trap(title.rstrip("."), text.replace("\n", " "), code(trap), rows)


def code(trap):
    """Return a trap's source from below its docstring to above its return."""
    body = textwrap.dedent(inspect.getsource(trap).partition("\n")[2])  # what is below the def
    docstring, *_, last = ast.parse(body).body
    return "\n".join(body.splitlines()[docstring.end_lineno : last.lineno - 1]).strip()


def plain(value):
    """Turn what a trap gave into a number, a string or a tuple."""
    if isinstance(value, torch.dtype):
        return str(value)
    if hasattr(value, "tolist"):  # a tensor, or one of NumPy's numbers
        value = value.tolist()
    return tuple(value) if isinstance(value, list | tuple) else value  # a torch.Size, too
