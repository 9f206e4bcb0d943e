"""A gradient that comes back through a norm, of a layer, a batch or the root mean square."""

import numpy as np

from handgrad.explain.norm import groups, norm_of
from handgrad.findings import Cause

KIND = "norm"
LOOKS_LIKE = (
    "through a norm without its mean or variance term, its weight, its epsilon, or with n - 1"
)
EXAMPLES = [
    ("layer_norm", "- mean(grad_z) - z * mean(", "- z * mean(", {"grad_h1": "norm"}),
    ("layer_norm", " - z * mean(grad_z * z)", "", {"grad_h1": "norm"}),
    ("layer_norm", "grad_z = grad_h1_norm * gamma", "grad_z = grad_h1_norm", {"grad_h1": "norm"}),
    (
        "layer_norm",
        "(grad_h1_norm * z).sum(axis=0)",
        "(grad_h1_norm * h1).sum(axis=0)",
        {"grad_gamma": "norm"},
    ),
]


def find(case):
    """Explain a gradient that comes back through a norm, or that of its weight."""
    if not case.is_gradient:
        return None
    found = of_weight(case) if case.is_parameter(case.quantity) else of_input(case)
    return None if found is None else Cause(KIND, found)


def of_input(case):
    """Explain the gradient of what is normalised."""
    norm = norm_of(case)
    if norm is None:
        return None
    for variants in (of_terms, of_factors, of_entries):
        with np.errstate(all="ignore"):
            for array, sentence in variants(norm):
                if case.fits(array):
                    what = f"comes back through the norm `{norm.user}`"
                    return f"`{case.name}` {what}, but {sentence}."
    return None


def of_terms(norm):
    """Yield gradients in which a term is left out or turned, or has a sum for a mean."""
    n, middle, square = norm.count, "the mean of what comes in", "the term of the variance"
    if norm.is_centred:
        yield norm.gradient(of_mean=0), f"without the term of the mean: {middle} is not subtracted"
        yield norm.gradient(of_mean=0, of_variance=0), "without the terms of mean and variance"
        yield norm.gradient(of_mean=n), f"with a sum for {middle}"
        yield norm.gradient(of_mean=n, of_variance=n), "with sums for both means"
        yield norm.gradient(of_mean=-1), f"with {middle} added, where it is subtracted"
    yield norm.gradient(of_variance=0), f"without {square}"
    yield norm.gradient(of_variance=n), f"with a sum for the mean in {square}"
    yield norm.gradient(of_variance=-1), f"with {square} added, where it is subtracted"
    yield norm.gradient(of_variance=2), f"with {square} twice"
    yield norm.gradient(of_variance=0.5), f"with half {square}"
    if n > 1:
        yield norm.gradient(of_variance=n / (n - 1)), f"with n - 1 for n in {square}"


def of_factors(norm):
    """Yield gradients in which the weight or what is divided by is another one."""
    if norm.named is not None:
        yield norm.gradient(weight=1.0), f"without its weight `{norm.named}`"
        yield norm.gradient(weight=norm.weight**2), f"with its weight `{norm.named}` twice"
        yield norm.gradient(weight=1 / norm.weight), f"divided by its weight `{norm.named}`"
    right, n, variance = norm.gradient(), norm.count, norm.variance
    yield right * norm.spread, "is not divided by the root of the variance"
    for square in (norm.spread**2, variance):
        yield right * norm.spread / square, "is divided by the variance, not by its root"
    spreads = [(np.sqrt(variance * n / (n - 1) + norm.epsilon), "with n - 1 for n in the variance")]
    if norm.epsilon > 0:
        said = f"{norm.epsilon:.3g}"
        spreads.append((np.sqrt(variance), f"without the epsilon {said} of the forward pass"))
        spreads.append(
            (np.sqrt(variance) + norm.epsilon, f"with the epsilon {said} outside the root")
        )
    for spread, sentence in spreads if n > 1 else ():
        yield norm.gradient(spread), sentence
        yield right * norm.spread / spread, sentence
    for axes in groups(norm.came.ndim):
        if axes != norm.axes:
            turned = norm._replace(axes=axes)
            yield turned.gradient(), f"has its means over {over(axes)}, not over {over(norm.axes)}"


def of_entries(norm):
    """Yield gradients in which the entries that were not normalised are used."""
    g = norm.came * norm.weight
    flat = g - norm.mean(g) if norm.is_centred else g
    unit, centred = norm.unit, norm.centred
    said = "takes the entries before they are divided by their spread"
    for one, other in ((centred, centred), (unit, centred), (centred, unit)):
        yield (flat - one * norm.mean(g * other)) / norm.spread, f"in the variance's term {said}"
    yield (flat - norm.mean(g * unit)) / norm.spread, "the term of the variance is a mean alone"


def over(axes):
    """Name some axes."""
    return f"axis {axes[0]}" if len(axes) == 1 else f"axes {', '.join(map(str, axes))}"


def of_weight(case):
    """Explain the gradient of a norm's weight: the sum of what comes in times the normalised."""
    users = case.steps.users(case.quantity)
    if len(users) != 1 or users == ["loss"]:
        return None
    (user,) = users
    out, came = (np.asarray(case.given(n), np.float64) for n in (user, f"grad_{user}"))
    weight = np.asarray(case.given(case.quantity), np.float64)
    axes = tuple(range(out.ndim - 1))
    if weight.shape != out.shape[-1:] or came.shape != out.shape:
        return None
    biases = [n for n in case.steps.sources[user] - {case.quantity} if case.is_parameter(n)]
    for bias in [0.0, *(case.given(name) for name in biases)]:
        if np.shape(bias) not in ((), weight.shape):
            continue
        with np.errstate(all="ignore"):
            unit = (out - bias) / weight
        if not case.is_right((came * unit).sum(axis=axes)):
            continue
        if case.fits((came * out).sum(axis=axes)):
            return f"`{case.name}` takes the norm's output `{user}`, not the normalised entries."
        for name in sorted(case.steps.sources[user]):
            z = case.given(name)
            if z.shape != out.shape:
                continue
            for axis in range(out.ndim):
                centred = z - z.mean(axis=axis, keepdims=True)
                if case.fits((came * centred).sum(axis=axes)):
                    return f"`{case.name}` takes `{name}` less its mean, not divided by its spread."
            if case.fits((came * z).sum(axis=axes)):
                return f"`{case.name}` takes `{name}` as it is, not the normalised entries."
    return None
