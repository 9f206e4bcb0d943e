"""Proxies for NumPy, math and float in the user's own namespaces while a pass is traced."""

import builtins
import math
import types
from contextlib import contextmanager

import numpy as np
import torch

from handgrad.run.traced import choices, storage
from handgrad.run.traced.array import FUNCTIONS, Traced
from handgrad.run.traced.dispatch import IMPLEMENTED, standing_for, standing_for_math
from handgrad.run.traced.drawing import GENERATORS, Drawing, drawing
from handgrad.run.traced.making import wrapped
from handgrad.run.traced.moves import Joiner
from handgrad.run.traced.special import SPECIAL
from handgrad.run.traced.tensors import is_numeric


class LikeOriginal(type):
    """The class of a class that stands for another one, and has its instances."""

    stands_for: type

    def __instancecheck__(cls, value):
        return isinstance(value, cls.stands_for)

    def __subclasscheck__(cls, other):
        return issubclass(other, cls.stands_for)

    def __eq__(cls, other):
        return other is cls or other is cls.stands_for

    def __hash__(cls):
        return hash(cls.stands_for)


def standing_for_number(kind):
    """Return what stands for float, np.float64 or np.float32: a traced value stays one."""

    def make(cls, *arguments):
        if arguments and type(arguments[0]) is Traced:
            value = arguments[0]
            if value.size == 1 and (kind is float or not value.ndim):
                value = value.reshape(())
            return value.astype(kind)
        return kind(*arguments)

    return LikeOriginal(
        kind.__name__,
        (kind,),
        {"__new__": make, "stands_for": kind, "dtype": np.dtype(kind), "__slots__": ()},
    )


NUMBERS: dict[type, type] = {
    kind: standing_for_number(kind) for kind in (float, np.float64, np.float32)
}


class Proxy(types.ModuleType):
    """A module whose functions are those for traced arrays."""

    def __init__(self, module, replaced):
        super().__init__(module.__name__, module.__doc__)
        self.__dict__.update(_module=module, _replaced=replaced)

    def __getattr__(self, name):
        value = self._replaced(getattr(self._module, name))
        self.__dict__[name] = value
        return value

    def __dir__(self):
        return dir(self._module)


LIBRARIES = ("numpy", "scipy", "torch")  # their own namespaces are let alone
# Nothing stands for these, and most of what a namespace has is one of them.
PLAIN = frozenset([str, int, float, bool, list, tuple, dict, set, type(None)])


def is_the_users(value):
    """Say whether something is a function that is written in Python, and no library's."""
    is_python = type(value) is types.FunctionType
    return is_python and str(value.__module__).partition(".")[0] not in LIBRARIES


def stand_in(value):
    """Return what stands for something of a user's namespace, or the thing itself."""
    if type(value) in PLAIN or is_the_users(value):
        return value
    if isinstance(value, types.ModuleType):
        return of_module(value)
    if isinstance(value, type):
        return NUMBERS.get(value, IMPLEMENTED.get(value, value))
    if isinstance(value, np.vectorize):
        return FUNCTIONS["vectorize"](stand_in(value.pyfunc))
    if value is np.r_ or value is np.c_:
        return Joiner(value)
    if isinstance(value, np.ndarray) and is_numeric(value):
        return wrapped(value.copy())  # else `value.dot(x)` and `value[0] = x` would be refused
    if isinstance(value, GENERATORS):
        return Drawing(value)
    if getattr(value, "__self__", None) is np.random.mtrand._rand or value is np.random.default_rng:
        return drawing(value)
    if isinstance(value, np.ufunc):
        return SPECIAL.get(value.__name__) or standing_for(value)
    name = getattr(value, "__name__", None)
    module = getattr(value, "__module__", None) or ""
    if getattr(math, str(name), None) is value and callable(value):
        return standing_for_math(value)
    if module.startswith("scipy.special") and name in SPECIAL:
        return SPECIAL[name]
    if callable(value) and module.partition(".")[0] == "numpy":
        return standing_for(value) if is_function(value) else value
    return value


def is_function(value):
    """Say whether something of NumPy's is a function, not an object of the user's making."""
    return isinstance(value, (types.FunctionType, types.BuiltinFunctionType)) or hasattr(
        value, "__wrapped__"
    )


def of_module(module):
    """Return what stands for a module."""
    name = module.__name__
    if type(module) is Proxy:
        return module
    if name.partition(".")[0] == "numpy" or name in ("math", "scipy.special", "scipy"):
        return Proxy(module, stand_in)
    return module


@contextmanager
def tracing(namespaces, decide=None, observe=None):
    """Let the code of these namespaces (dicts: modules' globals) compute with traced arrays.

    `decide` takes the difference of two tensors that are compared and returns one whose signs are
    to be gone by. `observe` takes the tensor of each array that is made, in order, and returns the
    one that it is to have. All is put back at the end, whatever happens; numpy itself is never
    changed.
    """
    namespaces = [space for space in namespaces if name_of_package(space) not in LIBRARIES]
    before = [replaced(namespace) for namespace in namespaces]
    dtype = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    choices.deciding.append(decide)
    storage.observing.append(observe)
    try:
        yield
    finally:
        choices.deciding.pop()
        storage.observing.pop()
        torch.set_default_dtype(dtype)
        for namespace, (originals, proxies) in reversed(list(zip(namespaces, before, strict=True))):
            put_back(namespace, originals, proxies)


MISSING = object()


def name_of_package(namespace):
    """Return the name of the package whose module has a namespace."""
    return str(namespace.get("__name__")).partition(".")[0]


def replaced(namespace):
    """Put what stands for NumPy's into a namespace; return what was there and what is now."""
    proxies = {
        name: proxy
        for name, value in ({"float": builtins.float} | namespace).items()
        if not name.startswith("__") and (proxy := stand_in(value)) is not value
    }
    originals = {name: namespace.get(name, MISSING) for name in proxies}
    namespace.update(proxies)
    return originals, proxies


def put_back(namespace, originals, proxies):
    """Put back what was replaced, except what the user's code has given another value since."""
    for name, original in originals.items():
        if namespace.get(name) is not proxies[name]:
            continue
        if original is MISSING:
            del namespace[name]
        else:
            namespace[name] = original
