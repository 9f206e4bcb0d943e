"""Of arrays: whether one can be broadcast to another, and how large its entries are."""


def fits_into(shape, whole):
    """Say whether NumPy broadcasts one shape to another one."""
    tail = whole[len(whole) - len(shape) :]
    return len(shape) <= len(whole) and all(
        one in (1, other) for one, other in zip(shape, tail, strict=True)
    )


def magnitude(array):
    """Return the largest magnitude in an array, nan where there is one."""
    return max(float(array.max(initial=0.0)), -float(array.min(initial=0.0)))
