"""A traced array: what a NumPy array is to its user, with a PyTorch tensor behind it."""

import dis
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch

from handgrad.run.traced.index import (
    distinct,
    has_reverse,
    is_basic,
    is_entry,
    parsed,
    positions_of,
    torch_key,
)
from handgrad.run.traced.refusal import Untraceable
from handgrad.run.traced.storage import Storage
from handgrad.run.traced.tensors import NUMBERS, from_numpy, is_numeric, numpy_dtype

# What NumPy's functions do, by name: the methods of an array are among them.
FUNCTIONS: dict[str, Callable[..., Any]] = {}
# fmt: off
METHODS = frozenset([
    "all", "any", "argmax", "argmin", "argsort", "astype", "choose", "clip", "conj",
    "copy", "cumprod", "cumsum", "diagonal", "dot", "fill", "flatten", "item", "max",
    "mean", "min", "nonzero", "prod", "put", "ravel", "repeat", "reshape", "round",
    "searchsorted", "squeeze", "std", "sum", "swapaxes", "take", "tolist", "trace",
    "transpose", "var",
])
# fmt: on
REMAINDERS = (6, 19)  # the arguments of BINARY_OP for % and %=, since Python 3.11


class Traced(Storage):
    """An array of NumPy's kind on which a forward pass is run, so that autograd follows it.

    `tensor` is what it stands for now. For `isinstance` it is an ndarray, or, of no axes, the
    scalar that NumPy's functions return in its place.
    """

    __slots__ = ()
    __array_priority__ = 1000

    def __getitem__(self, key):
        parts = parsed(key)
        known = self._known
        if not is_basic(parts):
            return Traced(self.tensor[torch_key(parts, known.shape)])
        if is_entry(parts, known.ndim):
            return Traced(self._entry(parts))
        if has_reverse(parts):
            return self._view_at(positions_of(known.shape)[parts])
        return self._view(lambda tensor: tensor[parts], key=parts)

    def __setitem__(self, key, value):
        parts = parsed(key)
        known = self._known
        if not is_basic(parts) or has_reverse(parts):
            value = tensor_like(value, known)
            place, value = distinct(torch_key(parts, known.shape), known.shape, value)
            self._write(lambda tensor: tensor.__setitem__(place, value))
        elif self._root is None and is_entry(parts, known.ndim):
            value = torch.as_tensor(tensor_like(value, known), dtype=known.dtype)
            self._write_entry(parts, value.reshape(()))
        elif not (type(value) is Traced and value._root is not None) or (
            # else it is the end of `x[key] += ...`, which has been written
            value._parent is not self or value._key != parts
        ):
            value = tensor_like(value, known)
            self._write(lambda tensor: tensor.__setitem__(parts, value), parts)

    def __len__(self):
        if not self._known.ndim:
            raise TypeError("len() of unsized object")
        return self._known.shape[0]

    def __iter__(self):
        if not self._known.ndim:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(self._known.shape[0]))

    # What is only looked at

    @property  # type: ignore[misc]
    def __class__(self):
        known = self._known
        return np.ndarray if known.ndim else numpy_dtype(known.dtype).type

    @property
    def shape(self):
        """The lengths of the axes, a tuple."""
        return tuple(self._known.shape)

    @shape.setter
    def shape(self, shape):
        raise Untraceable("Handgrad cannot follow `x.shape = ...`: write x = x.reshape(...).")

    @property
    def ndim(self):
        """The number of axes."""
        return self._known.ndim

    @property
    def size(self):
        """The number of entries."""
        return self._known.numel()

    @property
    def dtype(self):
        """NumPy's dtype."""
        return numpy_dtype(self._known.dtype)

    @property
    def itemsize(self):
        """The number of bytes of an entry."""
        return self._known.element_size()

    @property
    def nbytes(self):
        """The number of bytes of all entries."""
        return self.size * self.itemsize

    @property
    def strides(self):
        """The steps in bytes from one entry to the next, as if there were no other array."""
        return np.empty(self.shape, self.dtype).strides

    @property
    def T(self):  # noqa: N802
        """The view with its axes in reverse order."""
        return FUNCTIONS["transpose"](self)

    @property
    def flat(self):
        """All entries in order; a view of them where NumPy has one."""
        return FUNCTIONS["ravel"](self)

    @property
    def real(self):
        """The array itself: complex numbers are not followed."""
        return self

    def sort(self, axis=-1, **_):
        """Put the entries in order, in place."""
        self._assign(FUNCTIONS["sort"](self, axis).tensor)

    def __getattr__(self, name):
        if name in METHODS:
            return partial(FUNCTIONS[name], self)
        if name.startswith("__") or not hasattr(np.ndarray, name):
            raise AttributeError(f"'numpy.ndarray' object has no attribute {name!r}")
        raise Untraceable(f"Handgrad cannot follow an array's `.{name}`: write it in another way.")

    def __repr__(self):
        return repr(shown(self))

    def __str__(self):
        return str(shown(self))

    def __format__(self, form):
        return format(shown(self), form)

    # What would take the numbers out of autograd's sight

    def __array__(self, dtype=None, copy=None):
        if self.tensor.requires_grad:
            raise Untraceable(
                "A traced array was put into a plain NumPy array (or given to a function that "
                "makes one), which would lose its gradient: make the array by np.zeros, np.array "
                "or the like within the pass."
            )
        return plain(self).astype(dtype or self.dtype, copy=False)

    def __float__(self):
        if self.tensor.requires_grad and not is_formatting(sys._getframe(1)):
            raise Untraceable(
                "A traced value was turned into a Python float by a function that Handgrad does "
                "not know, which would lose its gradient."
            )
        return float(self.tensor.detach())

    def __round__(self, digits=None):
        if digits is None:
            return round(float(self.tensor.detach()))
        return FUNCTIONS["round"](self, digits)

    def __int__(self):
        return int(self.tensor.detach())

    def __index__(self):
        if self._known.dtype.is_floating_point or self._known.ndim:
            raise TypeError("only integer scalar arrays can be converted to a scalar index")
        return int(self.tensor)

    def __hash__(self):
        if self._known.ndim:
            raise TypeError("unhashable type: 'numpy.ndarray'")
        return hash(shown(self))  # NumPy's scalars may be keys of a dict

    def __bool__(self):
        if self._known.dtype.is_floating_point and self._known.numel() == 1:
            return bool(FUNCTIONS["not_equal"](self.reshape(()), 0.0).tensor)
        return bool(plain(self))

    def __copy__(self):
        return FUNCTIONS["copy"](self)

    def __deepcopy__(self, memo):
        return FUNCTIONS["copy"](self)

    def __reduce__(self):
        raise Untraceable("A traced array cannot be pickled: save it outside of the pass.")

    # What other libraries ask of an array: NEP 13 and NEP 18

    def __array_ufunc__(self, ufunc, method, *inputs, **keywords):
        function = FUNCTIONS["__call__"](ufunc)
        return (function if method == "__call__" else getattr(function, method))(
            *inputs, **keywords
        )

    def __array_function__(self, function, types, inputs, keywords):
        return FUNCTIONS["__call__"](function)(*inputs, **keywords)


def plain(value):
    """Return a traced array as a NumPy array, a detached copy; anything else as it is."""
    if type(value) is Traced:
        return value.tensor.detach().cpu().numpy().copy()
    return value


def tensor_of(value):
    """Return what NumPy's functions take for an array as a tensor."""
    if type(value) is Traced:
        return value.tensor
    if isinstance(value, (np.ndarray, np.generic)) and is_numeric(value):
        return from_numpy(value)
    if type(value) in NUMBERS:
        return from_numpy(np.asarray(value))
    array = FUNCTIONS["array"](value)
    if type(array) is not Traced:
        raise Untraceable(f"Handgrad cannot follow an array of {type(value).__name__}.")
    return array.tensor


def tensor_like(value, tensor):
    """Return what is written into a tensor: a number as it is, an array in the tensor's dtype."""
    if type(value) in NUMBERS:
        return value
    value = tensor_of(value)
    return value if value.dtype is tensor.dtype else value.to(tensor.dtype)


def shown(array):
    """Return a traced array as NumPy would show it: of no axes, as a scalar."""
    return plain(array)[()]


def traced(tensor):
    """Return the Traced that stands for a tensor, which is never written into."""
    return Traced(tensor)


def is_formatting(frame):
    """Say whether the function of a frame is at a `%`: "%.3f" % loss only shows a number."""
    code, at = frame.f_code.co_code, frame.f_lasti
    name = dis.opname[code[at]]
    return name == "BINARY_MODULO" or (name == "BINARY_OP" and code[at + 1] in REMAINDERS)
