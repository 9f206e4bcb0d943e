"""A derivation whose reference is its own forward pass, as a Network: no PyTorch is asked for.

The passes are run once as they are, and every name that they assign is noted. Then the forward
pass is run on traced arrays, and autograd's gradients show which name is the gradient of which.
"""

from collections import Counter
from dataclasses import replace

import numpy as np

from handgrad.compare.tolerance import apart_of, noise_of
from handgrad.errors import InputError
from handgrad.explain.finite_difference import contradicts
from handgrad.load import pairing
from handgrad.load.lines import lines_of_key
from handgrad.load.nested import floats_in
from handgrad.load.noted_passes import NotedPasses, first_run, is_fit
from handgrad.network import Network, Reference
from handgrad.run.hand_written import in_dtype, mapped, named_inputs
from handgrad.run.own_forward import OwnForward
from handgrad.run.precision import FLOAT64, arithmetic
from handgrad.run.reference import run_reference

POINTS = 2  # where it is looked at again
CLOSE = 1e-6  # relative: the traced pass computes the same, but for the order of its sums


def load(programme, params, x, y, **about):
    """Return the Network of a user's passes, with their forward pass as its reference.

    `params` are the parameters, flat and by name, `about` is for the Network. Raises InputError
    where there is no loss, or no gradient, or where autograd cannot follow the forward pass.
    """
    first = first_run(programme, params, x, y)
    leaves = {**first.params, **named_inputs(first.x)}
    data = {id(array): name for name, array in {**leaves, "y": first.y}.items()}
    grads = pairing.gradients_of(first, data)
    of_leaves = pairing.of_leaves(leaves, first, data, grads)
    return paired(Network(params=params, x=x, y=y, **about), first, data, grads, of_leaves)


def load_script(programme, leaves, y, **about):
    """Return the Network of a script's pass likewise: what has a gradient is a parameter.

    `leaves` are all arrays that go in, by name; `y` is the one that has a row for each sample.
    """
    first = first_run(programme, leaves, {}, y)
    data = {id(array): name for name, array in held_in(first, leaves).items()}
    grads = pairing.gradients_of(first, data)
    of_leaves = pairing.of_leaves(first.params, first, data, grads)
    params = {name: array for name, array in leaves.items() if name in of_leaves}
    others = {name: array for name, array in leaves.items() if name not in of_leaves}
    return paired(Network(params=params, x=others, y=y, **about), first, data, grads, of_leaves)


def held_in(first, leaves):
    """Return the arrays of a first run in the place of the leaves: its objects hold copies."""
    held = floats_in(first.programme.held())
    return {name: held[name] for name in leaves if name in held}


def paired(draft, first, data, grads, of_leaves):
    """Return the Network, with the gradients paired that are those of values on the way."""
    values = pairing.arrays_of(first.values, data)
    taken = [*of_leaves.values(), *(grad for grad in grads if grad.at == first.seed)]
    left = [grad for grad in grads if not any(grad is one for one in taken)]
    if first.seed is not None:
        seed = first.grads[first.seed].name
        draft = replace(draft, notes=(f"There is no loss: `{seed}` is taken as it is.",))
    watched = {value.at: f"v{value.at}" for value in pairing.watchable(values, left)}
    inputs = any(name in of_leaves for name in named_inputs(draft.x))
    truth = followed(draft, first.programme, watched, inputs)
    slopes = {at: truth.get(f"grad_{name}") for at, name in watched.items()}
    known = [value for value in values if slopes.get(value.at) is not None]
    pairs = pairing.pair(left, known, slopes)
    if not pairs and not of_leaves:
        raise InputError(
            f"{first.programme.where}: no gradient was found: backward returns and assigns none "
            "that is called after a parameter or a value, grad_w1, dw1 or w1_grad."
        )
    return finished(draft, first, [v for v in values if v.at in pairs], pairs, of_leaves)


def finished(draft, first, values, pairs, of_leaves):
    """Return the Network in which the paired values are watched, and their gradients returned."""
    names = pairing.names_of(values, {*draft.params, *named_inputs(draft.x), "loss"})
    grads = {names[value.at]: pairs[value.at] for value in values} | of_leaves
    own = {f"grad_{name}": grad.shown for name, grad in grads.items()}
    counts = Counter([*own.values(), *names.values(), *draft.params, ""])
    places = {f"grad_{name}": grad.at for name, grad in grads.items()}
    lines = {name: line(first.values[at]) for at, name in names.items()}
    lines |= {name: line_of(first, at, grads[name[5:]]) for name, at in places.items()}
    known = {names[value.at]: value.value for value in values} | {
        **first.params,
        **named_inputs(first.x),
    }
    shapes = {
        f"grad_{name}": known[name].shape
        for name, grad in grads.items()
        if grad.value.shape != known[name].shape and is_fit(grad.value, known[name].shape)
    }
    passes = NotedPasses(first.programme, {n: at for at, n in names.items()}, places, shapes)
    inputs = any(name in of_leaves for name in named_inputs(draft.x))
    network = with_reference(draft, first.programme, names, inputs)
    return replace(
        network,
        forward=passes.forward,
        backward=passes.backward,
        guessed=frozenset(
            f"grad_{name}" for name in grads if not is_sure(name, grads[name], of_leaves)
        ),
        names={name: theirs for name, theirs in own.items() if counts[theirs] == 1},
        lines={name: where for name, where in lines.items() if where is not None},
        notes=(*network.notes, *(shape_note(own[name], s) for name, s in shapes.items())),
    )


def is_sure(name, grad, leaves):
    """Say whether a gradient is certainly that of a value: not called so for another reason.

    It is called after a parameter or an input, or returned as grad_ and the value's name.
    """
    return (name in leaves and not pairing.is_nameless(grad)) or grad.way == f"grad_{name}"


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


def with_reference(network, programme, watched, with_inputs):
    """Return a Network with its own forward pass as the reference.

    `watched` has the names of the watched values by their numbers.
    """
    model = OwnForward(programme, network, watched)
    table = {name: f"own.{number}" for number, name in enumerate(network.params)}
    paths = {path: watched[number] for number, path in model.at.items()}
    reference = Reference(model, table, model.loss, paths, with_inputs, kind="forward")
    return replace(network, reference=reference)


def followed(draft, programme, watched, with_inputs):
    """Return the trace of the forward pass under autograd; raise InputError if it is another.

    It has to compute what the plain one does, and its gradients have to be the slopes of that.
    Where the loss is all but 0, or the numbers are so large that its differences say nothing, that
    is seen elsewhere: what was detached is so whatever the numbers are.
    """
    places = {name: at for at, name in watched.items()}
    passes = NotedPasses(programme, places, {})
    network = with_reference(draft, programme, watched, with_inputs)
    network = in_dtype(replace(network, forward=passes.forward), np.float64)
    with np.errstate(all="ignore"), arithmetic(FLOAT64):
        run = run_reference(network, FLOAT64)
        if not np.isfinite(loss := run.quantities["loss"]).all():
            raise InputError(
                f"{programme.where}: the loss is {float(loss)} with these weights and data: it has "
                "no slope there, so no gradient can be judged; use smaller numbers."
            )
        off = differing(network, run)
        is_in_doubt = bool(off) or has_other_slopes(network, run)
        if is_in_doubt and (off not in ([], ["loss"]) or not follows_elsewhere(network)):
            raise InputError(
                f"{programme.where}: autograd does not follow the forward pass"
                + (f", first not at {off[0]}" if off else "")
                + ": give the network in PyTorch as `reference`, see `handgrad new --torch`."
            )
    return run.quantities


def differing(network, run):
    """Return the names of the values that the plain pass has otherwise, by more than rounding."""
    plain = network.forward(network.params, network.x, network.y)
    trace = run.quantities
    off = [name for name in plain if name in trace and not is_close(plain[name], trace[name])]
    if not off:
        return off
    apart = {name: apart_of(plain[name], trace[name]) for name in off}  # what is left of a sum
    noise = noise_of(network, FLOAT64, run)
    left = noise.unexplained(apart)
    return noise.unexplained_by_chaos({name: apart[name] for name in left})


def follows_elsewhere(network):
    """Say whether autograd follows the forward pass from weights and data of an ordinary size."""
    rng = np.random.default_rng(0)

    def drawn(array):
        return rng.standard_normal(array.shape) if array.dtype.kind == "f" else array

    for _ in range(POINTS):
        params, x, y = mapped(drawn, (dict(network.params), network.x, network.y))
        other = replace(network, params=params, x=x, y=y)
        run = run_reference(other, FLOAT64)
        if not differing(other, run) and not has_other_slopes(other, run):
            return True
    return False


def has_other_slopes(network, run):
    """Say whether autograd's gradients are not the loss's slopes, and no rounding explains it."""
    if not contradicts(network, run.quantities):
        return False
    noise = noise_of(network, FLOAT64, run).draw_all()
    return contradicts(network, run.quantities, noise.tolerance)


def is_close(plain, other):
    """Say whether two arrays are the same but for rounding."""
    if plain.shape != other.shape:
        return False
    finite = np.isfinite(plain)
    if not np.array_equal(finite, np.isfinite(other)):
        return False
    largest = np.abs(plain[finite]).max(initial=0.0)
    return bool((np.abs(plain - other)[finite] <= CLOSE * largest).all())
