"""A derivation whose reference is its own forward pass, as a Network: no PyTorch is asked for.

The passes are run once as they are, and every name that they assign is noted. Then the forward
pass is run on traced arrays, and autograd's gradients show which name is the gradient of which.
"""

import re
from collections import Counter
from dataclasses import replace
from functools import partial

import numpy as np

from handgrad.errors import InputError
from handgrad.load import pairing
from handgrad.load.arrays import arrays_of, bases_of, is_near
from handgrad.load.follow import unfollowed
from handgrad.load.leaves import gradients_of, is_nameless, of_leaves, without
from handgrad.load.lines import lines_of_key
from handgrad.load.nested import floats_in
from handgrad.load.noted_passes import NotedPasses, first_run, is_fit
from handgrad.load.unnamed import judge_of, misnamed, unnamed
from handgrad.network import Network, Reference
from handgrad.run.hand_written import in_dtype, named_inputs
from handgrad.run.own_forward import OwnForward, Result
from handgrad.run.precision import FLOAT64, arithmetic
from handgrad.run.reference import run_reference


def load(programme, params, x, y, **about):
    """Return the Network of a user's passes, with their forward pass as its reference.

    `params` are the parameters, flat and by name, `about` is for the Network. Raises InputError
    where there is no loss, or no gradient, or where autograd cannot follow the forward pass.
    """
    first = first_run(programme, params, x, y)
    leaves = {**first.params, **named_inputs(first.x)}
    data = {id(array): name for name, array in {**leaves, "y": first.y}.items()}
    grads = gradients_of(first, data)
    with_gradient = of_leaves(leaves, first, data, grads)
    return paired(Network(params=params, x=x, y=y, **about), first, data, grads, with_gradient)


def load_script(programme, leaves, y, **about):
    """Return the Network of a script's pass likewise: what has a gradient is a parameter.

    `leaves` are all arrays that go in, by name; `y` is the one that has a row for each sample.
    """
    first = first_run(programme, leaves, {}, y)
    data = {id(array): name for name, array in held_in(first, leaves).items()}
    grads = gradients_of(first, data)
    with_gradient = of_leaves(first.params, first, data, grads)
    holders = {holder_of(name) for name in with_gradient} - {""}  # what lies beside is one as well
    is_param = {n: n in with_gradient or holder_of(n) in holders for n in leaves}
    params = {name: array for name, array in leaves.items() if is_param[name]}
    others = {name: array for name, array in leaves.items() if not is_param[name]}
    return paired(Network(params=params, x=others, y=y, **about), first, data, grads, with_gradient)


def holder_of(name):
    """Return what an array lies in, of `net.weights[0]` it is `net.weights`: "" if in nothing."""
    return re.split(r"\.\w+$|\[[^\[\]]*\]$", name)[0] if re.search(r"[.\[]", name) else ""


def held_in(first, leaves):
    """Return the arrays of a first run in the place of the leaves: its objects hold copies."""
    held = floats_in(first.programme.held())
    return {name: held[name] for name in leaves if name in held}


def paired(draft, first, data, grads, with_gradient):
    """Return the Network, with the gradients paired that are those of values on the way.

    `data` has the names by the ids of the arrays that the passes were given, `grads` are all
    gradients, and `with_gradient` has those of the parameters and the inputs by name.
    """
    programme, values = first.programme, arrays_of(first.values, data)
    given = [grad for grad in grads if grad.at == first.seed or is_given(grad, first)]
    left = without(grads, [*with_gradient.values(), *given])
    inputs = named_inputs(draft.x)

    def watching(names, results=None):
        """Make the Network that watches these places, by name, and keeps what Results have."""
        has_gradient = any(name in with_gradient for name in inputs)
        return with_reference(draft, programme, names, has_gradient, results)

    watched = {value.at: f"v{value.at}" for value in pairing.watchable(values, left)}
    results: dict[Result, np.ndarray] = {}
    truth = followed(watching(watched, results), programme, watched)
    slopes = {at: truth[f"grad_{v}"] for at, v in watched.items() if f"grad_{v}" in truth}
    pairs = pairing.pair(left, [value for value in values if value.at in slopes], slopes)
    names = pairing.names_of([v for v in values if v.at in pairs], {*draft.params, *inputs, "loss"})
    found = {names[at]: pairs[at] for at in names} | with_gradient
    if not found:
        raise InputError(
            f"{programme.where}: no gradient was found: backward returns and assigns none "
            "that is called after a parameter or a value, grad_w1, dw1 or w1_grad."
        )
    shapes = fits(found, {names[v.at]: v.value for v in values if v.at in names} | leaves_of(first))
    right = {f"grad_{name}": slopes[at] for at, name in names.items()} | truth
    named = [slopes[at] for at in pairs]
    results = {r: grad for r, grad in results.items() if not any(is_near(grad, s) for s in named)}
    own = {f"grad_{name}": fitted(grad.value, shapes.get(name)) for name, grad in found.items()}
    judge = judge_of(watching, names, own) if differ(own, right) else none_is_wrong
    left = without(left, pairs.values())
    names, found = with_results(names, found, left, results, judge, sizes_of(first))
    return finished(with_seed(watching(names), first), first, names, found, shapes)


def differ(own, right):
    """Say whether any gradient is not what autograd has, by more than rounding."""
    return any(not is_near(grad, right[name]) for name, grad in own.items())


def none_is_wrong(_, left_out=()):
    """Stand for what `judge_of` returns where each gradient is what autograd has."""
    return []


def with_results(names, found, left, results, judge, counts):
    """Return names and gradients with those of Results: of what is called after no value.

    `names` has those of values by their places, `found` the gradients by these; `left` are the
    gradients that belong to none. See `handgrad.load.unnamed` for the others.
    """
    moved = misnamed(found, judge({}), results, judge, counts)
    known, judge = list(found.values()), partial(judge, left_out=moved.keys())
    more = unnamed(left, known, results, judge, counts, dict(moved.values()))
    names = {at: name for at, name in names.items() if f"grad_{name}" not in moved}
    found = {name: grad for name, grad in found.items() if f"grad_{name}" not in moved}
    of_results = {result: f"result[{result.number}]" for result in more}
    return names | of_results, found | {of_results[r]: grad for r, grad in more.items()}


def with_seed(network, first):
    """Return a Network with a note on the gradient that stands for a loss, where there is none."""
    if first.seed is None:
        return network
    note = f"There is no loss: `{first.grads[first.seed].name}` is taken as it is."
    return replace(network, notes=(*network.notes, note))


def sizes_of(first):
    """Return the numbers of samples that there may be: the lengths of the arrays' axes."""
    arrays = [*leaves_of(first).values(), first.y]
    return sorted({float(side) for array in arrays for side in np.shape(array)[:2] if side > 1})


def is_given(grad, first):
    """Say whether a gradient is one that a script draws: it comes from the next layer, say."""
    note = first.grads.get(grad.at) if isinstance(grad.at, int) else None
    return note is not None and note.function == "<module>" and note.name in first.programme.given


def leaves_of(first):
    """Return the parameters and the inputs of a first run by name."""
    return {**first.params, **named_inputs(first.x)}


def fits(grads, arrays):
    """Return the shapes that gradients are given, which have an axis of 1 too many or too few."""
    return {
        name: arrays[name].shape
        for name, grad in grads.items()
        if name in arrays
        if grad.value.shape != arrays[name].shape and is_fit(grad.value, arrays[name].shape)
    }


def fitted(array, shape):
    """Return an array in a shape, where it is to have another one."""
    return array if shape is None else array.reshape(shape)


def finished(network, first, names, grads, shapes):
    """Return the Network whose passes return what is watched, and the gradients of it.

    `names` has those of the watched values by their places, `grads` the gradients by the names.
    """
    values = {name: at for at, name in names.items() if not isinstance(at, Result)}
    places = {f"grad_{name}": grad.at for name, grad in grads.items()}
    wanted = {f"grad_{name}": shape for name, shape in shapes.items()}
    passes = NotedPasses(first.programme, values, places, wanted)
    lines = {name: line(first.values[at]) for name, at in values.items()}
    lines |= {name: line_of(first, at, grads[name[5:]]) for name, at in places.items()}
    taken, leaves = {*values, *network.params}, {*network.params, *named_inputs(network.x)}
    own = {f"grad_{name}": called(grad, taken) for name, grad in grads.items()}
    counts = Counter([*own.values(), *values, *network.params, ""])
    for name, theirs in own.items():
        where = lines[name]
        if (counts[theirs] > 1 or name.startswith("grad_result[")) and where and theirs:
            own[name] = f"{theirs} (line {where[1]})"
    return replace(
        network,
        forward=passes.forward,
        backward=passes.backward,
        guessed=frozenset(f"grad_{n}" for n, g in grads.items() if not is_sure(n, g, leaves)),
        names={name: theirs for name, theirs in own.items() if theirs},
        lines={name: where for name, where in lines.items() if where is not None},
        notes=(*network.notes, *(shape_note(own[f"grad_{n}"], s) for n, s in shapes.items())),
    )


def called(grad, taken):
    """Return the name that a report has for a gradient: `grad_w1` of what is returned as `w1`."""
    assigned = [name for name, _ in reversed(grad.names) if name and name not in grad.arguments]
    names = [name for name in [grad.shown, *assigned] if name not in taken]
    named = [name for name in names if bases_of(name)]
    return [*named, *names, grad.shown][0]


def is_sure(name, grad, leaves):
    """Say whether a gradient is certainly that of a value: not called so for another reason.

    It is called after a parameter or an input, or returned as grad_ and the value's name.
    """
    return (name in leaves and not is_nameless(grad)) or grad.way == f"grad_{name}"


def line(note):
    """Return the file and the number of the line that assigned a name."""
    return note.filename, note.line


def line_of(first, at, grad):
    """Return where a gradient is assigned, or returned in a dict; None where that is not known."""
    while isinstance(at, tuple):
        at = at[0]
    if at in first.grads:
        return line(first.grads[at])
    files = {note.filename for note in first.grads.values()}
    found = [(file, number) for file in files for number in lines_of_key(file, grad.names[-1][0])]
    return found[-1] if found else None


def shape_note(name, shape):
    """Say that a gradient has an axis of length 1 more, or less, than what it is that of."""
    return f"`{name}` is judged in the shape {shape}, that of what it is the gradient of."


def with_reference(network, programme, watched, with_inputs, grads=None):
    """Return a Network with its own forward pass as the reference.

    `watched` has the names of the watched values by their places; for `grads` see OwnForward.
    """
    model = OwnForward(programme, network, watched, grads)
    table = {name: f"own.{number}" for number, name in enumerate(network.params)}
    paths = {path: watched[at] for at, path in model.at.items()}
    reference = Reference(model, table, model.loss, paths, with_inputs, kind="forward")
    return replace(network, reference=reference)


def followed(network, programme, watched):
    """Return the trace of the forward pass under autograd; raise InputError if it is another.

    It has to compute what the plain one does, and its gradients have to be the slopes of that. The
    reference of `network` watches the places in `watched`, which has their names.
    """
    places = {name: at for at, name in watched.items()}
    passes, for_loss = NotedPasses(programme, places, {}), NotedPasses(programme, {}, {}).forward
    network = in_dtype(replace(network, forward=passes.forward), np.float64)
    with np.errstate(all="ignore"), arithmetic(FLOAT64):
        run = run_reference(network, FLOAT64)
        if not np.isfinite(loss := run.quantities["loss"]).all():
            raise InputError(
                f"{programme.where}: the loss is {float(loss)} with these weights and data: it has "
                "no slope there, so no gradient can be judged; use smaller numbers."
            )
        off = unfollowed(network, replace(network, forward=for_loss), run)
        if off is not None:
            raise InputError(
                f"{programme.where}: autograd does not follow the forward pass"
                + (f", first not at {off[0]}" if off else "")
                + ": give the network in PyTorch as `reference`, see `handgrad new --torch`."
            )
    return run.quantities
