"""Which norm a step is, a layer, batch or root-mean-square norm: its gradient's numbers tell."""

from typing import NamedTuple

import numpy as np

from handgrad.explain.arrays import fits_into


class Norm(NamedTuple):
    """A norm of z over some axes: its gradient, and what that is made of.

    `came` is what comes in, `weight` the parameter it is multiplied by first, 1 where there is
    none, `named` that one's name. The entries of `unit` have mean 0, where `is_centred`, and the
    variance 1; `centred` are those before they are divided by `spread`.
    """

    user: str
    came: np.ndarray
    weight: np.ndarray
    named: str | None
    axes: tuple[int, ...]
    is_centred: bool
    centred: np.ndarray
    spread: np.ndarray
    epsilon: float

    @property
    def unit(self):
        """The normalised entries."""
        return self.centred / self.spread

    @property
    def variance(self):
        """The variance, or the mean square."""
        return self.mean(self.centred**2)

    @property
    def count(self):
        """The number of entries that a mean is taken of."""
        return int(np.prod([self.came.shape[axis] for axis in self.axes]))

    def mean(self, array):
        """Return the mean over the axes, which stay."""
        return array.mean(axis=self.axes, keepdims=True)

    def gradient(self, spread=None, weight=None, of_mean=1.0, of_variance=1.0):
        """Return the gradient, with one of its parts replaced or multiplied by a number."""
        spread = self.spread if spread is None else spread
        g = self.came * (self.weight if weight is None else weight)
        unit = self.centred / spread
        middle = of_mean * self.mean(g) if self.is_centred else 0.0
        return (g - middle - of_variance * unit * self.mean(g * unit)) / spread


def norm_of(case):
    """Return the Norm that a gradient comes back through, None where it is no such step."""
    users = case.steps.users(case.quantity) if case.is_gradient else []
    if len(users) != 1 or users == ["loss"]:
        return None
    (user,) = users
    z, came = (np.asarray(case.given(n), np.float64) for n in (case.quantity, f"grad_{user}"))
    if not z.shape == came.shape == case.expected.shape:
        return None
    for axes in groups(z.ndim):
        for named, weight in weights(case, user, z.shape):
            for is_centred in (True, False):
                found = fitted(z, came * weight, axes, is_centred, case.expected)
                if found is None:
                    continue
                norm = Norm(user, came, weight, named, axes, is_centred, *found)
                if case.is_right(norm.gradient()):
                    return norm
    return None


def groups(count):
    """Return the axes that norms are taken over, of so many: one, all but one, the last ones."""
    each = range(count)
    one = [(axis,) for axis in each]
    return list(
        dict.fromkeys(
            [
                *one,
                *(tuple(i for i in each if i != axis) for axis in each if count > 2),
                *(tuple(each[axis:]) for axis in range(1, count)),
            ]
        )
    )


def weights(case, user, shape):
    """Yield what may be multiplied by first: nothing, and each parameter of the step, shaped so."""
    yield None, np.ones(())
    for name in sorted(case.steps.sources[user]):
        if not case.is_parameter(name):
            continue
        weight = np.asarray(case.given(name), np.float64)
        if weight.ndim == 1:
            for axis in reversed(range(len(shape))):
                if weight.size == shape[axis]:
                    yield name, weight.reshape([-1 if i == axis else 1 for i in range(len(shape))])
        elif weight.ndim == len(shape) and fits_into(weight.shape, shape):
            yield name, weight


def fitted(z, came, axes, is_centred, expected):
    """Return the centred entries, their spread and its epsilon that a gradient is right with.

    What of it is neither along the centred entries nor constant is what came in over the spread.
    """

    def mean(array):
        return array.mean(axis=axes, keepdims=True)

    def across(array):
        flat = array - mean(array) if is_centred else array
        along = mean(flat * centred) / mean(centred**2)
        return flat - along * centred

    with np.errstate(all="ignore"):
        centred = z - mean(z) if is_centred else z
        variance = mean(centred**2)
        free = across(expected)
        spread = mean(across(came) * free) / mean(free**2)
        epsilon = float(np.median(spread**2 - variance))
        known = np.sqrt(variance + epsilon)
    if not np.isfinite(known).all() or not np.allclose(known, spread, rtol=1e-4):
        return None
    return centred, known, epsilon
