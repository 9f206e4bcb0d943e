"""Where gradients belong that names tell nothing of, or too little, while something is wrong.

Where all is right, numbers tell. Where one line is wrong, what is computed from it has other
numbers than autograd has: so a gradient is held against what autograd makes of the user's own
gradients that came before it. One that is wrong even so belongs where fewest others are wrong
then: a mistake in one line makes one wrong quantity, and no pair by name may make more of it.
"""

import time
from typing import NamedTuple

import numpy as np

from handgrad.load.arrays import Array
from handgrad.load.multiples import place, scaled
from handgrad.load.unnamed import copies_in, same_as
from handgrad.run.own_forward import Result

MANY = 8  # results that are tried for one gradient: those that are most like it
TRIES = 120  # passes of the reference that all of this may take
SECONDS = 4.0  # of computing likewise


class Places(NamedTuple):
    """The gradients of Results, and the names that are not those of what their gradients are of.

    `moved` has for such a name the Result instead, or None where none was found.
    """

    results: dict[Result, Array]
    moved: dict[str, Result | None]


class Look(NamedTuple):
    """What a pass with the user's gradients shows: what is wrong, and the slopes given it."""

    wrong: list[str]
    slopes: dict[Result, np.ndarray]


def placed(found, guessed, misfits, left, places, judge, counts):
    """Return the Places of the gradients that have no name, or one that is but a guess.

    `found` has the gradients by the names of the reference, `guessed` are those names of it that
    may be no more than names, `misfits` those of another shape than what they are called after, and
    `left` the gradients that have none. `places` is what is known; for
    `judge` and `counts` see `unnamed`.
    """
    names, copies = {id(found[name]): name for name in guessed}, copies_in(left, found.values())
    look, end = looked_at(places, judge), time.process_time() + SECONDS
    tries = TRIES
    for grad in sorted([*left, *(found[name] for name in guessed)], key=place):
        name = f"grad_{names[id(grad)]}" if id(grad) in names else None
        if not look.wrong or tries <= 0 or time.process_time() > end:
            break
        if not np.ptp(grad.value) or name in places.moved or (name and name not in look.wrong):
            continue  # zeros to begin with, and no gradient yet; or it is where it should be
        is_right, options = options_of(grad, name, places, look, judge, counts)
        if is_right and name is None and id(grad) not in copies:
            places = options[0]
            continue
        best = best_of(options, name, look, judge, is_right and name in misfits)
        tries -= len(options) + 1
        if best is not None:
            places, look = best, looked_at(best, judge)
    return places


def looked_at(places, judge):
    """Return the Look at these Places."""
    slopes: dict[Result, np.ndarray] = {}
    return Look(judge(places.results, places.moved, slopes), slopes)


def options_of(grad, name, places, look, judge, counts):
    """Return the Places that there may be for a gradient; `name` is what it is called, or None.

    The first that is returned says whether it is right somewhere, given what came before it: that
    is then the first of them.
    """
    moved = places.moved
    slopes = look.slopes if name is None else looked_at(without(places, name), judge).slopes
    free = {r: s for r, s in slopes.items() if r not in places.results}
    same = same_as(grad, free, counts)
    likely = [(result, 1.0) for result in most_like(grad.value, free)]
    some = [same, *(pair for pair in likely if pair != same)] if same else likely
    return same is not None, [
        Places(
            {**places.results, result: scaled(grad, scale)},
            moved if name is None else {**moved, name: result},
        )
        for result, scale in some
    ]


def without(places, name):
    """Return Places in which a name is none of a gradient."""
    return places._replace(moved={**places.moved, name: None})


def most_like(value, slopes):
    """Return the Results whose slopes are most like an array of their shape, as by a factor."""
    likeness = {}
    for result, slope in slopes.items():
        sizes = np.linalg.norm(slope) * np.linalg.norm(value)
        if slope.shape == value.shape and np.isfinite(sizes) and sizes:
            likeness[result] = abs(float((slope * value).sum())) / sizes
    return sorted(likeness, key=lambda result: -likeness[result])[:MANY]


def best_of(options, name, look, judge, is_enough):
    """Return the Places that leave fewest others wrong, None where no less are than so far.

    The first of them `is_enough` where no more are.
    """
    fewest, best = len(set(look.wrong) - {name}), None
    for number, places in enumerate(options):
        of = f"grad_result[{list(places.results)[-1].number}]"
        others = len(set(judge(places.results, places.moved)) - {name, of})
        if others < fewest or (is_enough and number == 0 and others == fewest):
            fewest, best = others, places
    return best
