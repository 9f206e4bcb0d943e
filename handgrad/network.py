"""What is compared, wherever it came from: a network written by hand, and its reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from numpy.typing import NDArray

if TYPE_CHECKING:  # torch takes a second to import, and the help needs none
    from torch import nn

Array = NDArray[Any]
Inputs = Array | tuple[Array, ...] | dict[str, Array]


LARGEST = 32  # beyond this, other sizes need not be larger to tell one from another


@dataclass(frozen=True)
class Reference:
    """A PyTorch network to compare with.

    Attributes:
        model: the module. It is lent: its own weights, gradients and buffers are put back
            after every run.
        parameters: which parameter is which: the hand-written name to the module's path, with
            `.T` behind it where the module keeps it transposed, `{"w1": "h1.weight.T"}`.
        loss_fn: takes the module's output and y, and returns one number as a tensor.
        values: the paths of the submodules that give a quantity, and its name; None means each
            submodule, by its own name. Of a submodule that returns several tensors these are
            `lstm[0]`, `lstm[1][0]` or `out[key]`, or as `values` calls that path.
        with_inputs: says that the gradients of the inputs are wanted.
        buffers: hand-written arrays by the paths of the buffers that they stand for.
        kind: what it is: a `module`, or the user's own `forward` pass, under autograd.
    """

    model: nn.Module
    parameters: Mapping[str, str]
    loss_fn: Callable[..., Any]
    values: Mapping[str, str] | None = None
    with_inputs: bool = False
    buffers: Mapping[str, Array] = field(default_factory=dict)
    kind: Literal["module", "forward", "function"] = "module"


@dataclass(frozen=True)
class Network:
    """A network written by hand, the data it runs on, and what it is compared with.

    Attributes:
        name: what a report calls it: the variant, or the name of the file.
        params: the parameters by name: arrays of any shape, all floating point.
        x: the inputs: an array, called `x`, or several, a tuple, called `x1`, `x2`, ..., or a
            dict by their names; whole numbers stay whole.
        y: the targets; whole numbers, such as class labels, stay whole.
        reference: the same network in PyTorch, or None.
        forward: `forward(params, x, y)`, which returns the values as a dict with `loss`.
        backward: `backward(params, x, y, values)`, which returns the gradients as a dict.
        plain: the user's own two functions, or the one that does both, where `forward` and
            `backward` run these and note what they assign.
        quantities: values and gradients that have been computed already; where they are,
            `forward` and `backward` are not run for them.
        is_complete: says that every quantity of the reference has to be there.
        source: the path or the name that was given.
        path: the Python file with its lines, or None.
        guessed: the gradients that are taken for those of values by the names of a user's locals.
        names: the user's own names, by the names that the reference has for them.
        lines: the file and the number of the line that assigns a quantity, where that is known.
        sizes: the arguments of `init` that a network of the gallery was drawn with.
        notes: sentences on how it was understood.
        code: the user's code, a `handgrad.run.code.Code`, where a statement of it can be changed,
            or None.
        redraw: `redraw(seed)` gives the same network with other weights and data, of other sizes
            where it has sizes; None where that is not known.
        reload: `reload(network)` reads the user's code again, as it is now, on the weights and data
            of a network; None where that is not known.
    """

    name: str
    params: Mapping[str, Array]
    x: Inputs
    y: Array
    reference: Reference | None = None
    forward: Callable[..., Any] | None = None
    backward: Callable[..., Any] | None = None
    plain: tuple[Callable[..., Any], Callable[..., Any] | None] | None = None
    quantities: Mapping[str, Array] | None = None
    is_complete: bool = False
    source: str = ""
    path: Path | None = None
    guessed: frozenset[str] = frozenset()
    names: Mapping[str, str] = field(default_factory=dict)
    lines: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    code: Any = None
    redraw: Callable[[int], Network] | None = None
    reload: Callable[[Network], Network] | None = None


def unequal(sizes: Mapping[str, int]) -> dict[str, int]:
    """Return other sizes by name, of which no two are the same: larger ones, but not by far."""
    largest = min(max(sizes.values(), default=0), LARGEST)
    return {name: largest + 1 + number for number, name in enumerate(sizes)}
