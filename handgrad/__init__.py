"""Is a gradient that was derived by hand right, where does it first go wrong, and why?

import handgrad

print(handgrad.check(globals(), Net(), x, y))
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handgrad.errors import InputError, MismatchError

if TYPE_CHECKING:
    from torch import nn

    from handgrad.report import Report

__all__ = ["InputError", "MismatchError", "Report", "check", "check_function"]

# In a checkout manual/ and torch_ref/ stand beside this folder, where a reader looks; the wheel
# has them inside it. Either way they are handgrad.manual and handgrad.torch_ref.
if not Path(__file__).with_name("manual").is_dir():
    __path__.append(str(Path(__file__).parents[1]))


def check(
    quantities: Mapping[str, Any],
    reference: nn.Module | Callable[[], nn.Module],
    x: Any,
    y: Any,
    *,
    loss: Callable[..., Any] | None = None,
    names: Mapping[str, str] | None = None,
) -> Report:
    """Say of each quantity of a hand-written derivation whether its step is right.

    Args:
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
    from handgrad.load.variables import load
    from handgrad.pipeline import check as check_network

    return check_network(load(quantities, reference, x, y, loss=loss, names=names))


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
