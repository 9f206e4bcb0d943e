"""A lesson on one network as a Jupyter notebook, in which the backward pass is to be written."""

import ast
import inspect

from torch import nn

from handgrad.errors import InputError
from handgrad.lessons.formulas import derivation
from handgrad.lessons.source import derivation_code
from handgrad.load.gallery import GALLERY, check_name, draw, is_trained, manual_side, torch_side
from handgrad.run.hand_written import named_inputs
from handgrad.show.target import check_target, write_whole

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

MADE = """\
net = Net()
names = PARAMETERS  # where `handgrad check` looks, if you run it on this notebook"""

CHECK = """\
After each line stands a check: it lends your weights to `net` while it runs, and compares every \
quantity that it finds among your variables, the forward pass and what there is of the backward \
pass."""

NOTES = "## The notebook that this network comes from"

BY_HAND = """\
## One step of gradient descent

By hand: each parameter goes against its gradient, and the loss is computed again."""

WITH_TORCH = """\
With PyTorch, from the same weights: `backward()` computes the gradients that you have written, \
and the optimizer takes the step."""

SGD = """\
import torch

net.double()
with torch.no_grad():
    for name, entry in PARAMETERS.items():
        by_hand = torch.from_numpy(params[name])
        parameter = net.get_parameter(entry.removesuffix(".T"))
        parameter.copy_(by_hand.T if entry.endswith(".T") else by_hand)

{inputs}
targets = torch.from_numpy(y)
optimizer = torch.optim.SGD(net.parameters(), lr=learning_rate)
optimizer.zero_grad()  # .grad adds up until it is cleared
loss_fn({output}, targets).backward()  # fills the .grad of every parameter
optimizer.step()  # w -= learning_rate * w.grad
loss_with_torch = loss_fn({output}, targets).item()

print("loss before the step:", loss)
print("after it, by hand:   ", loss_by_hand)
print("after it, PyTorch:   ", loss_with_torch)
print("relative difference: ", abs(loss_with_torch - loss_by_hand) / abs(loss_by_hand))"""

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def write_notebook(path, name, solved=False, force=False):
    """Write the lesson on a network to `path`; raise InputError where that cannot be."""
    if path.suffix != ".ipynb":
        raise InputError(f"A notebook is a file that ends in .ipynb, found {str(path)!r}.")
    check_target(path, force)
    node = notebook(name, solved)
    import nbformat

    write_whole(path, nbformat.writes(node).encode(), force)


def notebook(name, solved=False):
    """Return the lesson on a network as a notebook; `solved` has the lines in place of blanks.

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
    check = f"check(globals(), net, x, y{loss_of(torch_ref)}, names=PARAMETERS)"
    yield "markdown", opening(text, solved, bool(GALLERY[name]))
    yield "code", drawing(manual, name, lines.values())

    yield "markdown", f"## The forward pass\n\n{text.forward}"
    for quantity in text.formulas:
        if not quantity.startswith("grad_"):
            yield "markdown", formula(text, quantity)
            yield "code", lines[quantity]

    yield "markdown", NETWORK
    yield "code", f"{without_docstring(torch_ref)}\n\n\n{MADE}"

    yield "markdown", f"## The backward pass\n\n{CHECK}\n\n{text.backward}"
    for number, (prose, gradients) in enumerate(text.steps, 1):
        formulas = "\n\n".join(formula(text, gradient) for gradient in gradients)
        yield "markdown", f"### Step {number}\n\n{prose}\n\n{formulas}"
        for gradient in gradients:
            yield "code", lines[gradient] if solved else blank(gradient, lines[gradient])
            yield "code", check
    if text.notes:
        yield "markdown", "\n\n".join([NOTES, *text.notes])
    if is_trained(name):
        yield "markdown", BY_HAND
        yield "code", step_by_hand(name, torch_ref.PARAMETERS)
        yield "markdown", WITH_TORCH
        yield "code", step_with_torch(name)


def loss_of(torch_ref):
    """Return what the check is told of the loss: nothing where it is the one that it assumes."""
    loss_fn = torch_ref.loss_fn
    is_default = isinstance(loss_fn, nn.MSELoss) and loss_fn.reduction == "sum"
    return "" if is_default else ", loss=loss_fn"


def opening(text, solved, has_cells):
    """Return the title and what the lesson is about."""
    # the cells that a title ends with are of another notebook than this one
    title = text.title.partition(":")[0] if has_cells else text.title
    parts = [f"# {title}", text.new, SOLVED if solved else EXERCISE]
    return "\n\n".join(filter(None, parts))


def drawing(manual, name, lines):
    """Return the code that draws weights and data and gives each its name.

    It imports what `lines`, the code of the cells below, take from the hand-written module.
    """
    params, x, _ = draw(name)
    used = {"init", *names_in("\n".join(lines))} & vars(manual).keys()
    statements = imports(manual)
    needed = sorted({"import numpy as np", *(statements[key] for key in used & statements.keys())})
    unpacked = [f"{', '.join(params)}{',' * (len(params) == 1)} = params.values()"]
    if isinstance(x, tuple):
        unpacked.append(f"{', '.join(named_inputs(x))} = x")
    data = "".join(f'"{key}": {key}, ' for key in named_inputs(x))
    return "\n".join(
        [
            *needed,
            "",
            "from handgrad import check",
            f"from handgrad.manual.{name} import {', '.join(sorted(used - statements.keys()))}",
            "",
            "params, x, y = init(np.random.default_rng(0))",
            *unpacked,
            f"{{name: array.shape for name, array in {{{data}**params}}.items()}}",
        ]
    )


def names_in(code):
    """Return the names that some code uses."""
    return {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}


def imports(module):
    """Return each name that `import` gives in a module, and the statement that does."""
    return {
        alias.asname or alias.name.partition(".")[0]: ast.unparse(statement)
        for statement in ast.parse(inspect.getsource(module)).body
        if isinstance(statement, ast.Import)
        for alias in statement.names
    }


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
from handgrad.manual.{name} import LEARNING_RATES, forward  # as above

learning_rate = LEARNING_RATES[0]
stepped = {{
{stepped}}}
loss_by_hand = forward(stepped, x, y)["loss"]"""


def step_with_torch(name):
    """Return the code for the same step by PyTorch, which starts from the same weights."""
    _, x, _ = draw(name)
    if isinstance(x, tuple):
        return SGD.format(
            inputs="inputs = [torch.from_numpy(array) for array in x]", output="net(*inputs)"
        )
    return SGD.format(inputs="inputs = torch.from_numpy(x)", output="net(inputs)")
