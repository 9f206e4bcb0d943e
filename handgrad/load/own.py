"""A derivation whose reference is its own forward pass, as a Network: no PyTorch is asked for.

The passes are run once as they are, and every name that they assign is noted. Then the forward
pass is run on traced arrays, and autograd's gradients show which name is the gradient of which.
"""

import re
from collections import Counter
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from handgrad.errors import InputError
from handgrad.load import pairing
from handgrad.load.arrays import arrays_of, bases_of, is_near
from handgrad.load.fitted import fits, fitted_all, shape_note
from handgrad.load.follow import followed, with_reference
from handgrad.load.implied import divided, meant
from handgrad.load.leaves import (
    gradients_of,
    is_for_grads,
    is_nameless,
    of_leaves,
    without,
)
from handgrad.load.lines import lines_of_key
from handgrad.load.multiples import (
    at_of,
    multiple_of,
    notes_on_multiples,
    sizes_of,
    where_fewer_are_wrong,
    without_multiples,
)
from handgrad.load.nested import floats_in
from handgrad.load.noted_passes import NotedPasses, Scaled, first_run, root_of
from handgrad.load.placed import Places, placed
from handgrad.load.returned import in_their_order
from handgrad.load.unnamed import judge_of, misnamed, notes_on_others, unnamed
from handgrad.network import Network
from handgrad.run.hand_written import named_inputs
from handgrad.run.own_forward import Result


def load(programme, params, x, y, **about):
    """Return the Network of a user's passes, with their forward pass as its reference.

    `params` are the parameters, flat and by name, `about` is for the Network. Raises InputError
    where there is no loss, or no gradient, or where autograd cannot follow the forward pass.
    """

    def reload(now):
        return load(programme, now.params, now.x, now.y, **about)

    first = first_run(programme, params, x, y)
    leaves = {**first.params, **named_inputs(first.x)}
    data = {id(array): name for name, array in {**leaves, "y": first.y}.items()}
    grads = gradients_of(first, data)
    with_gradient = of_leaves(leaves, first, data, grads)
    draft = Network(params=params, x=x, y=y, reload=reload, **about)
    return paired(draft, first, data, grads, with_gradient)


def load_script(programme, leaves, y, **about):
    """Return the Network of a script's pass likewise: what has a gradient is a parameter.

    `leaves` are all arrays that go in, by name; `y` is the one that has a row for each sample.
    """

    def reload(now):
        return load_script(programme, {**now.params, **named_inputs(now.x)}, now.y, **about)

    first = first_run(programme, leaves, {}, y)
    held = held_in(first, leaves)
    changed = {n for n in held if not np.array_equal(held[n], leaves[n], equal_nan=True)}
    first = replace(first, changed=frozenset(changed))
    data = {id(array): name for name, array in held.items() if not is_for_grads(name)}
    grads = gradients_of(first, data)
    with_gradient = of_leaves(first.params, first, data, grads)
    holders = {holder_of(name) for name in with_gradient} - {""}  # what lies beside is one as well
    is_param = {n: n in with_gradient or holder_of(n) in holders for n in leaves}
    params = {name: array for name, array in leaves.items() if is_param[name]}
    others = {name: array for name, array in leaves.items() if not is_param[name]}
    draft = Network(params=params, x=others, y=y, reload=reload, **about)
    return paired(draft, first, data, grads, with_gradient)


def holder_of(name):
    """Return what an array lies in, of `net.weights[0]` it is `net.weights`: "" if in nothing."""
    return re.split(r"\.\w+$|\[[^\[\]]*\]$", name)[0] if re.search(r"[.\[]", name) else ""


def held_in(first, leaves):
    """Return the arrays of a first run in the place of the leaves: its objects hold copies."""
    held = floats_in(first.programme.held())
    return {name: held[name] for name in leaves if name in held}


class Truth(NamedTuple):
    """What autograd has: the trace, the gradients of watched values by place, and of Results."""

    trace: dict[str, np.ndarray]
    slopes: dict[Any, np.ndarray]
    results: dict[Result, np.ndarray]


def paired(draft, first, data, grads, with_gradient):
    """Return the Network, with the gradients paired that are those of values on the way."""
    values = [value for value in arrays_of(first.values, data) if value.shown]
    given = [grad for grad in grads if grad.at == first.seed or is_given(grad, first)]
    left = without(grads, [*with_gradient.values(), *given])
    watched = {value.at: f"v{value.at}" for value in pairing.watchable(values, left)}
    inputs = any(name in with_gradient for name in named_inputs(draft.x))
    truth = truth_of(draft, first, watched, inputs)
    if anew := drawn_anew(first, with_gradient, truth):
        raise InputError(
            f"{first.programme.where}: the pass itself makes {', '.join(anew)} anew, so the loss "
            "depends on none that was there: make the weights, and what they belong to, before the "
            "first line that computes with them."
        )
    with_gradient, notes = in_their_order(with_gradient, truth.trace)
    first, truth, more = meant(
        first, with_gradient, truth, lambda first: truth_of(draft, first, watched, inputs)
    )
    draft = replace(draft, notes=(*draft.notes, *notes, *more))
    if first.seed is not None:
        programme = first.programme
        draft, first = seeded(draft, first, with_gradient, truth)
        if first.programme is not programme:  # its loss is another one
            truth = truth_of(draft, first, watched, inputs)
    known = [value for value in values if value.at in truth.slopes]
    pairs = pairing.pair(left, known, truth.slopes)
    if not pairs and not with_gradient:
        raise InputError(
            f"{first.programme.where}: no gradient was found: backward returns and assigns none "
            "that is called after a parameter or a value, grad_w1, dw1 or w1_grad."
        )
    values = [value for value in known if value.at in pairs]
    return resolved(draft, first, values, pairs, with_gradient, left, truth)


def drawn_anew(first, with_gradient, truth):
    """Return the weights that a pass draws itself: the loss is none of those that were there."""
    return [n for n in with_gradient if n in first.changed and not truth.trace[f"grad_{n}"].any()]


def truth_of(draft, first, watched, inputs):
    """Return the Truth of a forward pass; `watched` has names for values by their places."""
    results: dict[Result, np.ndarray] = {}
    trace = followed(draft, first.programme, watched, inputs, results)
    slopes = {at: trace[f"grad_{n}"] for at, n in watched.items() if f"grad_{n}" in trace}
    return Truth(trace, slopes, results)


def seeded(draft, first, with_gradient, truth):
    """Return the Network and the first run where there is no loss, but a gradient as it is."""
    seed = first.grads[first.seed].name
    notes = [f"There is no loss: `{seed}` is taken as it is."]
    times = multiple_of(with_gradient, truth.trace, sizes_of(draft, first))
    if times != 1:
        loss = partial(divided, first.programme.loss, times)
        first = replace(first, programme=replace(first.programme, loss=loss))
        notes.append(f"It is {times:g} times the slope of the loss, a convention.")
    return replace(draft, notes=(*draft.notes, *notes)), first


def resolved(draft, first, values, pairs, with_gradient, left, truth):
    """Return the Network of these pairs, and of what has no name or carries a multiple."""
    names = pairing.names_of(values, {*draft.params, *named_inputs(draft.x), "loss"})
    arrays = {names[value.at]: value.value for value in values} | leaves_of(first)
    inputs = any(name in with_gradient for name in named_inputs(draft.x))
    counts = sizes_of(draft, first)

    def found_for(pairs):
        return {names[at]: pairs[at] for at in names} | with_gradient

    def reference(more, left_out=(), slopes=None):
        kept = {at: name for at, name in names.items() if f"grad_{name}" not in left_out}
        return with_reference(draft, first.programme, {**kept, **more}, inputs, slopes)

    def judge_for(pairs):
        return judge_of(reference, fitted_all(found_for(pairs), arrays))

    pairs = without_multiples(pairs, truth.slopes, counts, judge_for)
    found, judge = found_for(pairs), judge_for(pairs)
    right = {f"grad_{names[at]}": truth.slopes[at] for at in names} | truth.trace
    is_off = any(not is_near(g, right[name]) for name, g in fitted_all(found, arrays).items())
    of_values = [truth.slopes[at] for at in pairs]
    results = {r: t for r, t in truth.results.items() if not any(is_near(t, s) for s in of_values)}
    left = [grad for grad in left if not any(grad.at == at_of(one) for one in pairs.values())]
    judge = judge if is_off else all_right
    misfits = {n for n, g in fitted_all(found, arrays).items() if g.shape != right[n].shape}
    guessed = [names[at] for at in pairs if not is_sure(names[at], pairs[at], leaves_of(first))]
    names, found = with_results(names, found, guessed, misfits, left, results, judge, counts)
    told = notes_on_multiples(found), notes_on_others(left, found, first)
    draft = replace(draft, notes=(*draft.notes, *told[0], *told[1]))
    network = with_reference(draft, first.programme, names, inputs)
    return finished(network, first, names, found, fits(found, arrays))


def all_right(*_):
    """Stand for what `judge_of` returns where each gradient is what autograd has."""
    return []


def with_results(names, found, guessed, misfits, left, results, judge, counts):
    """Return names and gradients with those of Results: of what is called after no value.

    `names` has those of values by their places, `found` the gradients by these names, of which
    `guessed` may be no more than names; `left` are the gradients that belong to none. For the
    others see `unnamed` and `placed`.
    """
    exact = misnamed(found, judge({}), results, judge, counts)
    more, others = unnamed(left, [*found.values()], results, counts, dict(exact.values()))
    places = Places(more, {name: result for name, (result, _) in exact.items()})
    more, moved = placed(found, guessed, misfits, others, places, judge, counts)
    if judge is not all_right:
        off = {f"grad_{name}" for name in found} & {*moved}
        more = where_fewer_are_wrong(more, partial(judge, without=off))
    names = {at: name for at, name in names.items() if f"grad_{name}" not in moved}
    found = {name: grad for name, grad in found.items() if f"grad_{name}" not in moved}
    of_results = {result: f"result[{result.number}]" for result in more}
    return names | of_results, found | {of_results[r]: grad for r, grad in more.items()}


def is_given(grad, first):
    """Say whether a gradient is one that a script draws: it comes from the next layer, say."""
    note = first.grads.get(grad.at) if isinstance(grad.at, int) else None
    return note is not None and note.function == "<module>" and note.name in first.programme.given


def leaves_of(first):
    """Return the parameters and the inputs of a first run by name."""
    return {**first.params, **named_inputs(first.x)}


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
        plain=(first.programme.forward, first.programme.backward),
        guessed=frozenset(f"grad_{n}" for n, g in grads.items() if not is_sure(n, g, leaves)),
        names={name: theirs for name, theirs in own.items() if theirs},
        lines={name: where for name, where in lines.items() if where is not None},
        code=first.programme.code,
        scaled=frozenset(name for name, at in places.items() if isinstance(at, Scaled)),
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
    at = root_of(at)
    if at in first.grads:
        return line(first.grads[at])
    files = {note.filename for note in first.grads.values()}
    found = [(file, number) for file in files for number in lines_of_key(file, grad.names[-1][0])]
    return found[-1] if found else None
