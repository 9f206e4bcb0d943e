"""The traps of the bridge from NumPy to PyTorch: what goes wrong on the way, with numbers.

Each trap is a function. Its docstring is what a lesson says about it, its body what a learner
would type, and it returns expressions, as text, and what they gave. All take the same:

    net      the network in float64, with the lesson's weights
    loss_fn  its loss
    w1       the notebook's first weight, a NumPy array
    x, y     the data, float64 tensors

A body may change what it gets: `shown`, which runs a trap for a page, hands over copies.
"""

import ast
import copy
import inspect
import textwrap
from typing import NamedTuple

import torch
from torch import nn

from handgrad.run.precision import FLOAT64, TF32, arithmetic
from handgrad.run.weights import to_tensor


class Trap(NamedTuple):
    """One trap, ready to be shown; `rows` maps each expression to what it gave.

    A row holds a number, a string or a tuple. In `text`, code stands in backticks.
    """

    title: str
    text: str
    code: str
    rows: dict


def transposed_weight(net, loss_fn, w1, x, y):
    """The weight of nn.Linear is the transpose of the notebook's w1.

    `nn.Linear` computes `x @ weight.T`, so its weight is (outputs, inputs). Copy `w1.T` into it and
    transpose its gradient back: a square weight goes in the wrong way round without an error.
    """
    weight = next(net.parameters())  # the first layer's
    difference = (weight.T - torch.tensor(w1)).abs().max()
    return {"w1.shape": w1.shape, "weight.shape": weight.shape, "difference": difference}


def averaged_loss(net, loss_fn, w1, x, y):
    """The default of nn.MSELoss is the average, over n x d_out numbers.

    The loss and every gradient are smaller by that factor, so the notebook's learning rate makes
    steps that are far too short. The notebook's loss is `nn.MSELoss(reduction="sum")`.
    """
    weight = net.y_pred.weight
    summed = nn.MSELoss(reduction="sum")(net(x), y)
    averaged = nn.MSELoss()(net(x), y)
    (grad_summed,) = torch.autograd.grad(summed, weight)
    (grad_averaged,) = torch.autograd.grad(averaged, weight)
    loss_ratio = summed / averaged
    grad_ratio = grad_summed.norm() / grad_averaged.norm()
    return {"y.shape": y.shape, "loss_ratio": loss_ratio, "grad_ratio": grad_ratio}


def added_gradients(net, loss_fn, w1, x, y):
    """Gradients add up in .grad until zero_grad clears them.

    The notebook's `grad_w1 = ...` replaces the gradient of the step before; `backward()` adds to
    it. Call `zero_grad()`, of the optimizer or the network, in every step.
    """
    weight = net.y_pred.weight
    loss_fn(net(x), y).backward()
    once = weight.grad.norm()
    loss_fn(net(x), y).backward()
    twice = weight.grad.norm()
    net.zero_grad()
    loss_fn(net(x), y).backward()
    cleared = weight.grad.norm()
    return {"once": once, "twice": twice, "twice / once": twice / once, "cleared": cleared}


def shared_memory(net, loss_fn, w1, x, y):
    """A tensor from torch.from_numpy shares its memory with the array.

    Whatever changes one in place, such as the notebook's `w1 -= ...`, changes the other, and the
    two versions no longer start from the same weights. `torch.tensor` copies.
    """
    shared = torch.from_numpy(w1)
    copied = torch.tensor(w1)
    w1[0, 0] = 100  # changes the array
    shared[-1, -1] = -100  # changes the tensor
    return {"shared[0, 0]": shared[0, 0], "copied[0, 0]": copied[0, 0], "w1[-1, -1]": w1[-1, -1]}


def short_numbers(net, loss_fn, w1, x, y):
    """The default of PyTorch is float32, that of NumPy is float64.

    A fresh layer refuses the notebook's numbers (`Double` is float64, `Float` is float32). Make
    the network float64 with `net.double()`: all in float32 costs every digit from about the 7th on.
    """
    layer = nn.Linear(*w1.shape)
    try:
        layer(x)
    except RuntimeError as error:
        message = str(error)
    exact = net(x)
    lost = (net.float()(x.float()) - exact).norm() / exact.norm()
    return {"layer.weight.dtype": layer.weight.dtype, "message": message, "lost": lost}


def relu_at_zero(net, loss_fn, w1, x, y):
    """The slope of ReLU at exactly 0 is 0 in PyTorch, and 1 in the notebook.

    Both are right, since ReLU has a kink there, but the gradients differ. `grad * (h > 0)` does
    as PyTorch does. The case is not rare: without biases, a row of zeros in `x` is enough.
    """
    h = torch.tensor([-1.0, 0.0, 1.0], requires_grad=True)
    h.relu().sum().backward()
    notebook = torch.ones(3)
    notebook[h < 0] = 0  # the notebook's grad_h[h < 0] = 0
    strict = torch.ones(3) * (h > 0)
    return {"h": h, "h.grad": h.grad, "notebook": notebook, "strict": strict}


def tf32_products(net, loss_fn, w1, x, y):
    """With TF32, a GPU keeps only three digits of what goes into a float32 product.

    `torch.set_float32_matmul_precision("high")` allows it, `"highest"`, the default, does not: the
    dtype is float32 either way. These numbers are from the CPU, which has no TF32: `arithmetic`
    imitates it, and rounds both factors to 10 bits as a GPU does.
    """
    w1 = torch.from_numpy(w1)
    exact = x @ w1
    float32 = x.float() @ w1.float()
    with arithmetic(TF32):
        tf32 = x.float() @ w1.float()
    error = (float32 - exact).norm() / exact.norm()
    tf32_error = (tf32 - exact).norm() / exact.norm()
    return {"tf32.dtype": tf32.dtype, "error": error, "tf32_error": tf32_error}


def averaged_ranks(net, loss_fn, w1, x, y):
    """The gradients of DistributedDataParallel are averaged over the ranks.

    So from a summed loss, two ranks with half of the batch each get half of the gradient: let each
    rank multiply its loss by the number of ranks. Here one process plays both ranks, and averages
    by hand.
    """

    def grad(x, y):
        return torch.autograd.grad(loss_fn(net(x), y), net.y_pred.weight)[0]

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


def shown(trap, net, loss_fn, params, x, y):
    """Run one of TRAPS and return it as a Trap; nothing that is passed in is changed.

    `net` is in float64, on the CPU; `params`, `x` and `y` are the NumPy arrays it was made from.
    """
    given = copy.deepcopy(net), loss_fn, params["w1"].copy(), to_tensor(x), to_tensor(y)
    with arithmetic(FLOAT64), torch.random.fork_rng(devices=[]):  # a fresh layer draws weights
        rows = {label: plain(value) for label, value in trap(*given).items()}
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
