"""What a traced array keeps: a tensor, or where it is a view of another one.

NumPy's views are kept without PyTorch's: a root holds a tensor and counts its versions, a view
holds its parent and how it is read from it. Nothing that autograd may have saved is ever written
into: a write goes into a clone of the root's tensor, which then takes its place.
"""

import numpy as np
import torch

from handgrad.run.traced.refusal import Untraceable
from handgrad.run.traced.tensors import cast_as_out


class Storage:
    """An array's numbers as tensors, `tensor` now; views, versions and writes."""

    __slots__ = (
        *("_tensor", "_version", "_is_read"),  # of a root; a view keeps here what it read last
        *("_root", "_parent", "_read", "_positions", "_key"),  # of a view
    )

    def __init__(self, tensor, is_read=True):
        """Make a root of a tensor; one that nobody else has (`is_read` False) is written into."""
        self._tensor, self._version, self._is_read = tensor, 0, is_read
        self._root = None

    @property
    def tensor(self):
        """The tensor that the array stands for now."""
        root = self._root
        if root is None:
            self._is_read = True
        elif self._version != root._version:
            self._tensor, self._version = self._read(self._parent.tensor), root._version
        return self._tensor

    @property
    def _known(self):
        """A tensor of this shape and dtype, which may be out of date; a root counts as unread."""
        return self.tensor if self._tensor is None else self._tensor

    def observe(self, function, in_place=False):
        """Let what is read from now on be `function(tensor)`, a tensor of the same shape.

        With `in_place` it is written into the array that this one is a view of as well.
        """
        result = function(self.tensor)
        if in_place:
            self._assign(result)
        else:
            self._tensor = result

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

    def _write(self, put):
        """Call `put` with a tensor to write into, which is then this array's."""
        if self._root is None:
            if self._is_read:
                self._tensor = self._tensor.clone()
                self._is_read = False
            put(self._tensor)
            self._version += 1
        elif self._positions is None:
            self._parent._write(lambda place: put(same_memory(self._read(place), place)))
        else:
            written = self.tensor.clone()
            put(written)
            places = torch.unravel_index(self._positions, self._parent._known.shape)
            self._parent._write(lambda place: place.__setitem__(places, written))

    def _assign(self, tensor):
        """Make all entries those of a tensor, broadcast and cast as NumPy's `out=` does it."""
        known = self._known
        if tensor.dtype is not known.dtype:
            tensor = cast_as_out(tensor, known.dtype)
        if self._root is None:
            self._tensor = tensor if tensor.shape == known.shape else tensor.expand(known.shape)
            self._is_read = True
            self._version += 1
        else:
            self._write(lambda place: place.copy_(tensor))


def same_memory(view, place):
    """Return PyTorch's view of a tensor that is written into, if it is one."""
    if view.untyped_storage().data_ptr() != place.untyped_storage().data_ptr():
        raise Untraceable(
            "Handgrad cannot tell whether writing into this reshaped array changes the array it "
            "was made of: write into that one."
        )
    return view
