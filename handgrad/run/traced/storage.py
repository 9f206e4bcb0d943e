"""What a traced array keeps: a tensor, or where it is a view of another one.

NumPy's views are kept without PyTorch's: a root holds a tensor and counts its versions, a view
holds its parent and how it is read from it. Nothing that autograd may have saved is ever written
into: a write goes into a clone of the root's tensor, which then takes its place.

Loops over single entries would make a clone for each. So entries are written to the side, and come
into the tensor together when it is read as a whole; and where many are read they are all unbound.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from handgrad.run.traced.index import are_apart, key_at, place_of
from handgrad.run.traced.refusal import Untraceable
from handgrad.run.traced.sigmoid import unmarked
from handgrad.run.traced.tensors import cast_as_out

UNBOUND = 8  # so many entries are read one by one (or a quarter of all) before all are unbound


# Who is shown each result as it is made, and returns what stands in its place; the last counts.
observing: list[Callable[[Any], Any] | None] = []


class Storage:
    """An array's numbers as tensors, `tensor` now; views, versions and writes."""

    __slots__ = (
        *("_tensor", "_version"),  # a view keeps here what it read last, and of which version
        *("_root", "_is_read", "_writes", "_aside", "_unbound"),  # of a root
        *("_parent", "_read", "_positions", "_key"),  # of a view
    )
    _tensor: Any
    _version: int
    _root: Any
    _is_read: bool
    _writes: Any
    _aside: Any
    _unbound: Any
    _parent: Any
    _read: Any
    _positions: Any
    _key: Any

    def __init__(self, tensor, is_read=True):
        """Make a root of a tensor; one that nobody else has (`is_read` False) is written into."""
        if observing and observing[-1] is not None:
            tensor = observing[-1](tensor)
        self._tensor, self._version, self._is_read = tensor, 0, is_read
        self._root = self._writes = self._aside = self._unbound = None

    @property
    def tensor(self):
        """The tensor that the array stands for now."""
        root = self._root
        if root is None:
            if self._aside:
                self._bring_in()
            self._is_read = True
        elif self._version != root._version:
            if not self._is_untouched():
                self._tensor = self._read(self._parent.tensor)
            self._version = root._version
        return self._tensor

    @property
    def _known(self):
        """A tensor of this shape and dtype, with numbers and a graph that may be out of date."""
        return self.tensor if self._tensor is None else self._tensor

    def observe(self, function, in_place=False):
        """Let what is read from now on be `function(tensor)`, a tensor of the same shape.

        With `in_place` it is written into the array that this one is a view of as well.
        """
        result = function(unmarked(self.tensor))
        if in_place:
            self._assign(result)
        else:
            self._tensor, self._unbound = result, None

    def _view(self, read, positions=None, key=None):
        """Return a view, by a function that PyTorch has as a view.

        Or else, with `positions` (whole numbers, an array), by where its entries are in this one.
        """
        view = type(self).__new__(type(self))
        view._tensor, view._version, view._parent = None, -1, self
        view._root = self if self._root is None else self._root
        view._read, view._positions, view._key = read, positions, key
        return view

    def _view_at(self, positions):
        """Return a view of the entries at these places of the flattened array."""
        positions = torch.from_numpy(np.ascontiguousarray(positions))
        return self._view(lambda tensor: tensor.reshape(-1)[positions], positions)

    def _is_untouched(self):
        """Say whether all writes since a view was read went to other parts of its root.

        What was read, and observed, then still stands.
        """
        root = self._root
        if self._tensor is None or self._parent is not root or self._key is None:
            return False
        shape = root._tensor.shape
        return all(are_apart(self._key, key, shape) for key in root._writes[self._version :])

    def _changed(self, key=None):
        """Count one more version of a root, which differs from the last one at a key alone."""
        if self._writes is None:
            self._writes = []
        self._writes.append(key)
        self._version += 1

    def _write(self, put, key=None):
        """Call `put` with a tensor to write into, which is then this array's.

        Only what is at `key` is written, as far as that is known.
        """
        if self._root is None:
            if self._aside:
                self._bring_in()
            if self._is_read:
                self._tensor = self._tensor.clone()
                self._is_read = False
            put(self._tensor)
            self._unbound = None
            self._changed(key)
        elif self._positions is None:
            own = self._key
            self._parent._write(lambda place: put(same_memory(self._read(place), place)), own)
        else:
            written = self.tensor.clone()
            put(written)
            places = key_at(self._positions.numpy(), self._parent._known.shape)
            self._parent._write(lambda place: place.__setitem__(places, written))

    def _assign(self, tensor):
        """Make all entries those of a tensor, broadcast and cast as NumPy's `out=` does it."""
        known = self._known
        if tensor.dtype is not known.dtype:
            tensor = cast_as_out(tensor, known.dtype)
        if self._root is not None:
            self._write(lambda place: place.copy_(tensor))
            return
        self._tensor = tensor if tensor.shape == known.shape else tensor.expand(known.shape)
        self._is_read, self._aside, self._unbound = True, None, None
        self._changed()

    def _entry(self, key):
        """Return one entry, of which NumPy makes a copy, as a tensor."""
        if self._root is not None:
            return self.tensor[key]
        place = place_of(key, self._tensor.shape)
        if self._aside and place in self._aside:
            return self._aside[place]
        if self._unbound is None:
            self._unbound = 0
        if type(self._unbound) is int:
            self._unbound += 1
            if self._unbound <= max(UNBOUND, self._tensor.numel() // 4):
                return self._tensor[key].clone()  # the array stays unread: it need not be cloned
            self._unbound = self._tensor.clone().reshape(-1).unbind()
        return self._unbound[place]

    def _write_entry(self, key, value):
        """Write one entry of a root, a tensor of no axes, to the side."""
        if self._aside is None:
            self._aside = {}
        self._aside[place_of(key, self._tensor.shape)] = value
        self._changed(key)

    def _bring_in(self):
        """Write the entries that were written to the side into the tensor, in a new one."""
        aside, self._aside, self._unbound = self._aside, None, None
        shape = self._tensor.shape
        if len(aside) == math.prod(shape):
            self._tensor = torch.stack([aside[i] for i in range(len(aside))]).reshape(shape)
            return
        places = torch.tensor(list(aside))
        values = torch.stack(list(aside.values()))
        self._tensor = self._tensor.reshape(-1).index_put((places,), values).reshape(shape)


def same_memory(view, place):
    """Return PyTorch's view of a tensor that is written into, if it is one."""
    if view.untyped_storage().data_ptr() != place.untyped_storage().data_ptr():
        raise Untraceable(
            "Handgrad cannot tell whether writing into this reshaped array changes the array it "
            "was made of: write into that one."
        )
    return view
