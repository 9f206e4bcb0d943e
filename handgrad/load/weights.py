"""Do the hand-written parameters fit those of the reference? Asked once, before anything runs."""

import numpy as np
import torch

from handgrad.errors import InputError
from handgrad.run.reference import oriented, path_of


def check_weights(reference, params, dtype):
    """Raise InputError where a parameter is missing, extra, misshapen, or cannot be held exactly.

    `params` are NumPy arrays by their hand-written names, `dtype` is the torch dtype that the
    reference will compute in.
    """
    parameters = dict(reference.model.named_parameters())
    check_names(parameters, reference.parameters, params)
    for name, entry in reference.parameters.items():
        check_array(name, entry, np.asarray(params[name]), parameters, dtype)


def check_names(parameters, table, params):
    """Raise InputError unless table, arrays and the module's parameters are the same set."""
    known = ", ".join(f"{name} ({entry})" for name, entry in table.items())
    paths = {name: path_of(entry, parameters) for name, entry in table.items()}
    for name, path in paths.items():
        if path not in parameters:
            raise InputError(
                f"The table of parameters gives {name} as {table[name]}, but the reference has no "
                f"such parameter: it has {', '.join(parameters)}."
            )
    for path in parameters:
        if path not in paths.values():
            raise InputError(
                f"The reference's parameter {path} has no hand-written counterpart: "
                f"the table of parameters has {known}."
            )
    for name, path in paths.items():
        if name not in params:
            raise InputError(
                f"The parameter {name} is missing: the reference's {path} needs it, and "
                f"the hand-written side gives {', '.join(params) or 'none'}."
            )
    for name in params:
        if name not in table:
            raise InputError(
                f"The parameter {name} has no counterpart in the reference, which has {known}."
            )


def check_array(name, entry, array, parameters, dtype):
    """Raise InputError where `array` does not fit the parameter that the table names."""
    where = f"The parameter {name} (the reference's {entry})"
    parameter = parameters[path_of(entry, parameters)]
    if entry not in parameters and parameter.ndim != 2:
        raise InputError(
            f"{where} has {parameter.ndim} axes, and just a matrix can be transposed: leave out "
            "its `.T`."
        )
    wanted = tuple(oriented(parameter, entry, parameters).shape)
    if array.dtype not in (np.float64, np.float32):
        raise InputError(
            f"{where} must be float64 or float32, found {array.dtype}: convert it with "
            "astype(np.float64)."
        )
    if array.shape != wanted:
        turned = array.ndim == 2 and array.T.shape == wanted
        hint = f"; add `.T` to {entry} if the module keeps it transposed" if turned else ""
        raise InputError(
            f"{where} must have shape {wanted}, found {array.shape} on the hand-written side{hint}."
        )
    if not np.isfinite(array).all():
        count = int((~np.isfinite(array)).sum())
        raise InputError(
            f"{where} must be finite, found {count} of {array.size} entries nan or inf on the "
            "hand-written side."
        )
    tensor = torch.from_numpy(np.array(array))
    if not torch.equal(tensor.to(dtype).to(tensor.dtype), tensor):
        raise InputError(
            f"{where} is {array.dtype} but the reference computes in {dtype}, which cannot hold "
            "it exactly: give both sides the same dtype."
        )


def fitted(array, shape, is_turned=False):
    """Return an array as the reference has it, which has this shape.

    `is_turned` says that a matrix is transposed. Besides, axes of length 1 may be too many or
    too few. An array of any other shape is returned as it is.
    """
    if is_turned and array.ndim == 2:
        array = array.T
    if array.ndim != len(shape) and longer(array.shape) == longer(shape):
        return array.reshape(shape)
    return array


def longer(shape):
    """Return a shape without its axes of length 1."""
    return [length for length in shape if length != 1]
