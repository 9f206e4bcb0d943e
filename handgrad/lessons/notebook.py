"""A lesson on one variant as a Jupyter notebook, in which the backward pass is to be written."""

import ast
import inspect

from handgrad.errors import InputError
from handgrad.lessons.formulas import derivation
from handgrad.lessons.source import derivation_code
from handgrad.show.target import check_target, write_whole
from handgrad.load.gallery import check_name, draw, manual_side, torch_side

EXERCISE = """\
The forward pass is given, the backward pass is yours. Run the cells from the top. Where a line \
says `...`, put your own in its place and run it, then the check below it: it compares what there \
is so far with PyTorch, and where a line is wrong, it says what is wrong with it."""

SOLVED = """\
This is the lesson with its solutions: the backward pass line by line, each one checked against \
PyTorch."""

NETWORK = """\
## The same network in PyTorch

Each submodule is named after the quantity that it produces. There is no backward pass to write: \
`forward` records what it does, and autograd walks the record from the last step to the first."""

FIRST_CHECK = """\
`check` loads your weights into a copy of `net` and compares every quantity that it finds among \
your variables. So far that is the forward pass:"""

NOTES = "## The notebook that this network comes from"

BY_HAND = """\
## One step of gradient descent

By hand: each parameter goes against its gradient, and the loss is computed again."""

WITH_TORCH = """\
With PyTorch, from the same weights: `backward()` computes the gradients that you have written, \
and the optimizer takes the step."""

CHECK = "check(globals(), net, x, y, names=PARAMETERS)"

SGD = """\
import torch

from handgrad.run.weights import load

load(net.double(), PARAMETERS, params)  # nn.Linear keeps its weight transposed: load turns it
inputs, targets = torch.from_numpy(x), torch.from_numpy(y)
optimizer = torch.optim.SGD(net.parameters(), lr=learning_rate)
optimizer.zero_grad()  # .grad adds up until it is cleared
loss_fn(net(inputs), targets).backward()  # fills the .grad of every parameter
optimizer.step()  # w -= learning_rate * w.grad
loss_with_torch = loss_fn(net(inputs), targets).item()

print("loss before the step:", loss)
print("after it, by hand:   ", loss_by_hand)
print("after it, PyTorch:   ", loss_with_torch)
print("relative difference: ", abs(loss_with_torch - loss_by_hand) / loss_by_hand)"""

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def write_notebook(path, name, solved=False, force=False):
    """Write the lesson on a variant to `path`; raise InputError where that cannot be."""
    if path.suffix != ".ipynb":
        raise InputError(f"A notebook is a file that ends in .ipynb, found {str(path)!r}.")
    check_target(path, force)
    node = notebook(name, solved)
    import nbformat

    write_whole(path, nbformat.writes(node).encode(), force)


def notebook(name, solved=False):
    """Return the lesson on a variant as a notebook; `solved` has the lines in place of blanks.

    The same arguments give the same notebook, to the byte.
    """
    check_name(name)
    try:
        from nbformat import v4
    except ImportError:
        raise InputError(
            "Writing a notebook needs nbformat, which is not installed: pip install "
            "'handgrad[notebook]'."
        ) from None
    make = {"markdown": v4.new_markdown_cell, "code": v4.new_code_cell}
    cells = [
        make[kind](source.strip(), id=f"cell-{number}")
        for number, (kind, source) in enumerate(lesson(name, solved), 1)
    ]
    return v4.new_notebook(cells=cells, metadata=METADATA)


def lesson(name, solved):
    """Yield the kind and the source of each cell."""
    manual, torch_ref = manual_side(name), torch_side(name)
    text = derivation(manual)
    found = derivation_code(manual, list(text.formulas))
    lines = {key: "\n".join(line.code for line in code.lines) for key, code in found.items()}
    yield "markdown", opening(text, solved)
    yield "code", drawing(manual, name)

    yield "markdown", f"## The forward pass\n\n{text.forward}"
    for quantity in text.formulas:
        if not quantity.startswith("grad_"):
            yield "markdown", formula(text, quantity)
            yield "code", lines[quantity]

    yield "markdown", NETWORK
    yield "code", f"{without_docstring(torch_ref)}\n\n\nnet = Net()"
    yield "markdown", FIRST_CHECK
    yield "code", CHECK

    yield "markdown", f"## The backward pass\n\n{text.backward}"
    for number, (prose, gradients) in enumerate(text.steps, 1):
        formulas = "\n\n".join(formula(text, gradient) for gradient in gradients)
        yield "markdown", f"### Step {number}\n\n{prose}\n\n{formulas}"
        for gradient in gradients:
            yield "code", lines[gradient] if solved else blank(gradient, lines[gradient])
            yield "code", CHECK
    yield "markdown", "\n\n".join([NOTES, *text.notes])

    yield "markdown", BY_HAND
    yield "code", step_by_hand(name, torch_ref.PARAMETERS)
    yield "markdown", WITH_TORCH
    yield "code", SGD


def opening(text, solved):
    """Return the title and what the lesson is about."""
    title = text.title.partition(":")[0]  # the cells that follow it are of another notebook
    parts = [f"# {title}", text.new, SOLVED if solved else EXERCISE]
    return "\n\n".join(filter(None, parts))


def drawing(manual, name):
    """Return the code that draws weights and data and gives each its name."""
    functions = [key for key, value in vars(manual).items() if inspect.isfunction(value)]
    needed = sorted(set(functions) - {"forward", "backward"})
    return f"""\
import numpy as np

from manual.{name} import {", ".join(needed)}
from handgrad import check

params, x, y = init(np.random.default_rng(0))
{", ".join(draw(name)[0])} = params.values()
{{name: array.shape for name, array in {{"x": x, "y": y, **params}}.items()}}"""


def blank(quantity, line):
    """Return `...` for what a line computes; the comment at its end, the shape, stays."""
    _, mark, shape = line.splitlines()[-1].partition("  #")
    return f"{quantity} = ...{mark}{shape}"


def formula(text, quantity):
    """Return a quantity's name in the code and its formula."""
    return f"`{quantity}`: ${text.formulas[quantity]}$"


def without_docstring(module):
    """Return the source of a module without the docstring at its top."""
    source = inspect.getsource(module)
    docstring = ast.parse(source).body[0]
    return "\n".join(source.splitlines()[docstring.end_lineno :]).strip()


def step_by_hand(name, parameters):
    """Return the code for one step by hand; the weights stay, so that the checks hold."""
    stepped = "".join(f'    "{w}": {w} - learning_rate * grad_{w},\n' for w in parameters)
    return f"""\
from manual.{name} import LEARNING_RATES, forward  # as above

learning_rate = LEARNING_RATES[0]
stepped = {{
{stepped}}}
loss_by_hand = forward(stepped, x, y)["loss"]"""
