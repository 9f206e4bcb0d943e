"""Random numbers: drawn as ever, as traced arrays."""

import numpy as np

from handgrad.run.traced.array import Traced, plain
from handgrad.run.traced.making import all_plain, has_gradient, wrapped
from handgrad.run.traced.refusal import Untraceable

GENERATORS = (np.random.Generator, np.random.RandomState)


class Drawing:
    """A generator whose methods give traced arrays; it shares the state of the original."""

    def __init__(self, generator):
        self._generator = generator

    @property  # type: ignore[misc]
    def __class__(self):
        return type(self._generator)

    def __getattr__(self, name):
        value = getattr(self._generator, name)
        return drawing(value) if callable(value) else value


def drawing(function):
    """Return a function of np.random that gives traced arrays, drawn as ever."""

    def call(*arguments, **keywords):
        if has_gradient((arguments, keywords)):
            raise Untraceable(
                f"Handgrad cannot follow np.random.{function.__name__} of traced values: draw "
                "standard numbers, and scale and shift them."
            )
        if function.__name__ == "shuffle" and type(arguments[0]) is Traced:
            shuffled = plain(arguments[0])
            function(shuffled)
            arguments[0][...] = shuffled
            return None
        drawn = function(*all_plain(arguments), **all_plain(keywords))
        return Drawing(drawn) if isinstance(drawn, GENERATORS) else wrapped(drawn)

    return call
