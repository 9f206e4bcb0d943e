"""Gradients that have an axis of length 1 more, or less, than what they are the gradients of."""

from handgrad.load.noted_passes import is_fit


def fits(grads, arrays):
    """Return the shapes that gradients are given, which have an axis of 1 too many or too few."""
    return {
        name: arrays[name].shape
        for name, grad in grads.items()
        if name in arrays
        if grad.value.shape != arrays[name].shape and is_fit(grad.value, arrays[name].shape)
    }


def fitted_all(found, arrays):
    """Return the arrays of gradients, each in the shape of what it is the gradient of."""
    shapes = fits(found, arrays)
    return {
        f"grad_{name}": grad.value.reshape(shapes.get(name, grad.value.shape))
        for name, grad in found.items()
    }


def shape_note(name, shape):
    """Say that a gradient has an axis of length 1 more, or less, than what it is that of."""
    return f"`{name}` is judged in the shape {shape}, that of what it is the gradient of."
