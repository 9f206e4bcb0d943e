"""Is a gradient that was derived by hand right, where does it first go wrong, and why?

import handgrad

print(handgrad.check(globals(), Net(), x, y))
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from handgrad.errors import InputError, MismatchError

if TYPE_CHECKING:
    from torch import nn

    from handgrad.report import Report

__all__ = ["InputError", "MismatchError", "Report", "check", "check_function", "check_layer"]

# In a checkout manual/ and torch_ref/ stand beside this folder, where a reader looks; the wheel
# has them inside it. Either way they are handgrad.manual and handgrad.torch_ref.
if not Path(__file__).with_name("manual").is_dir():
    __path__.append(str(Path(__file__).parents[1]))


@overload
def check(
    quantities: Mapping[str, Any],
    reference: nn.Module | Callable[[], nn.Module],
    x: Any,
    y: Any,
    *,
    loss: Callable[..., Any] | None = None,
    names: Mapping[str, str] | None = None,
) -> Report: ...


@overload
def check(
    forward: Callable[..., Any], backward: Callable[..., Any], params: Any, x: Any, y: Any
) -> Report: ...


@overload
def check(quantities: MutableMapping[str, Any]) -> Report: ...


def check(*given: Any, **named: Any) -> Report:  # noqa: D417 (the forms above have them)
    """Say of each quantity of a hand-written derivation whether its step is right.

    `check(quantities, reference, x, y)` compares with a network in PyTorch,
    `check(forward, backward, params, x, y)` with your own forward pass under autograd, and so does
    `check(globals())` in Jupyter, on the last pass in the cells that were run.

    Args:
        forward: `forward(params, x, y)`, which returns the loss, in a dict or a tuple with other
            values, or assigns it.
        backward: `backward(params, x, y, values)`, on what forward returns. It may take what it
            needs by name, and returns or assigns gradients: `grad_w1`, `dw1`, a tuple in the order
            of the parameters. Each name that the two assign is judged too, on its line.
        params: a dict or a list of arrays, nested as you like.
        quantities: a mapping from names to NumPy arrays, tensors or numbers, such as
            `globals()`: the parameters, the values, `loss` and the gradients, in your own
            layout. The names that the reference knows are picked out of it: a submodule `h1`
            gives `h1`, one that returns several tensors `h1[0]` or `h1_0`, gradients are
            `grad_h1`, `dh1`, `h1_grad`, `d_h1` and the like, the parameters of the first layer
            `w1` and `b1`. What is not there is computed by the reference from what is. They are
            judged in the dtype that they have.
        reference: an `nn.Module`, or a callable that makes one, whose submodules are named
            after the quantities. It is lent: the hand-written parameters are put into it for
            the check, and its own come back. Of one without parameters the gradients of its
            inputs are judged, `dx`.
        x: the inputs, an array or a tensor, or several in a tuple, or in a dict by the names that
            the reference's `forward` has for them.
        y: the targets, likewise; whole numbers stay whole, as class labels are.
        loss: a callable on output and y, or on output, y and a dict of the parameters by your
            names, that returns one number; None is the sum of squared errors,
            `nn.MSELoss(reduction="sum")`.
        names: where names do not tell, a dict from yours to the paths of the reference's
            parameters or submodules, such as `{"weights": "h1.weight.T", "hidden": "h1"}`. The
            `.T` says that the module keeps the parameter transposed, as `nn.Linear` does.

    Returns:
        A Report: it prints as a table, `report.ok` says whether all is right, `report.first`
        names the first quantity that is wrong. Its verdict is `error` where rounding alone could
        make any number of some quantity.

    Raises:
        InputError: a ValueError with one sentence on what does not fit.
    """
    if "forward" in named or (given and callable(given[0])):
        return _check_passes(*given, **named)
    if len(given) == 1 and not named:
        from handgrad.jupyter import check_run

        return check_run(*given)
    return _check_quantities(*given, **named)


def _check_quantities(
    quantities: Any, reference: Any, x: Any, y: Any, *, loss: Any = None, names: Any = None
) -> Report:
    """Check quantities that have been computed, with a network in PyTorch."""
    from handgrad.load.variables import load
    from handgrad.pipeline import check as check_network

    return check_network(load(quantities, reference, x, y, loss=loss, names=names))


def _check_passes(forward: Any, backward: Any, params: Any, x: Any, y: Any) -> Report:
    """Check two functions, with the forward pass as the reference."""
    from handgrad.load.execute import settings_put_back
    from handgrad.load.passes import load
    from handgrad.pipeline import check as check_network

    with settings_put_back():
        return check_network(load(forward, backward, params, x, y))


def check_layer(forward: Callable[..., Any], backward: Callable[..., Any], *inputs: Any) -> Report:
    """Say whether a layer's backward pass is that of its forward pass.

    Args:
        forward: `out, cache = forward(*inputs)`, with one output or several before the cache, of
            any shapes; the cache may be anything, or missing. It is its own reference: autograd
            differentiates it as it is written, in NumPy. Functions that compute with PyTorch's
            tensors do as well, if they are given tensors; of them just what backward returns is
            judged.
        backward: `dinputs = backward(dout, cache)`, or `backward(dout, *inputs)` where forward
            returns no cache, with a gradient for each output. It returns the gradients in the order
            of the inputs, or of those that are float arrays, with None for those that it leaves
            out; or in a dict by name. Both may be methods of one object.
        inputs: what forward is called with. Each float array is judged by its gradient; whole
            numbers, such as indices and labels, None and settings, `{"stride": 1}`, are passed on
            as they are. All of them are copied: a running mean stays where it is.

    Returns:
        A Report, as of `check`, with the names that forward has for its inputs. The `dout` is
        drawn at random in the shape of the output. The names that both functions assign are
        judged too, each on its line.

    Raises:
        InputError: a ValueError with one sentence on what does not fit.
    """
    from handgrad.load.execute import settings_put_back
    from handgrad.load.layer import load
    from handgrad.pipeline import check as check_network

    with settings_put_back():
        return check_network(load(forward, backward, inputs))


def load_ipython_extension(shell: Any) -> None:
    """Let IPython know `%%handgrad`: it is called by `%load_ext handgrad`."""
    from handgrad.jupyter import register

    register(shell)


def check_function(
    function: Any, *inputs: Any, reference: Callable[..., Any] | None = None
) -> Report:
    """Say of a custom `torch.autograd.Function` whether its backward pass is right.

    print(handgrad.check_function(MyExp, torch.randn(8, 5)))

    Its own forward pass is run once more under autograd, which says what each gradient should be;
    where autograd cannot see through it (it detaches, it uses NumPy or a kernel), finite
    differences in float64 are the judge. The derivation is judged in float64, then the run in the
    dtype of the inputs. It is called again with inputs and incoming gradients that are not
    contiguous or are expanded, with inputs that need no gradient, with one output used, and twice.

    Args:
        function: a `torch.autograd.Function`, or a custom operator or another callable on tensors
            that brings its own backward.
        inputs: all that it is called with, tensors of any shape in float64, float32 or bfloat16,
            whole numbers, masks, and what is no tensor. Those with `requires_grad` are judged, or
            if none has it all that are floating point; they are called as forward calls them,
            `grad_x`. Neither they nor their gradients are changed.
        reference: a callable that takes the same inputs and returns the same outputs in PyTorch,
            such as `torch.nn.functional.silu`; None is the function's own forward pass. Outputs
            that have no gradient are not compared.

    Returns:
        A Report; its first quantities are the outputs, `out` or `out1`, `out2`, ..., and the
        gradients that come in, `grad_out`, drawn at random.

    Raises:
        InputError: a ValueError with one sentence on what cannot be called or compared.
    """
    from handgrad.pipeline import check_function as check_it

    return check_it(function, inputs, reference)


def __getattr__(name: str) -> Any:
    """Import what is asked for just then: torch takes a second, and the help needs none."""
    if name != "Report":
        raise AttributeError(f"module 'handgrad' has no attribute {name!r}")
    return importlib.import_module("handgrad.report").Report
