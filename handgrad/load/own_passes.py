"""A user's passes, called in their layout and under their names."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from handgrad.load.layout import Draft, Reading
from handgrad.load.values import with_parts
from handgrad.run.hand_written import as_array, named_inputs, packed


class Values(dict):
    """The values of a user's forward pass; `theirs` is what it returned, for its backward pass."""

    theirs: Any = None


@dataclass(frozen=True)
class OwnPasses:
    """A user's forward and backward pass, as passes of a Network in the reference's layout."""

    own_forward: Callable[..., Any]
    own_backward: Callable[..., Any]
    draft: Draft
    reading: Reading
    keys: tuple[str, ...]  # of a dict of inputs

    def forward(self, params, x, y):
        """Run the forward pass."""
        found = self.own_forward(*self.theirs(params, x, y))
        if not hasattr(found, "keys"):
            return found
        values = Values(self.ours(found))
        values.theirs = found
        return values

    def backward(self, params, x, y, values):
        """Run the backward pass."""
        found = self.own_backward(*self.theirs(params, x, y), values.theirs)
        return self.ours(found) if hasattr(found, "keys") else found

    def theirs(self, params, x, y):
        """Return parameters and data as the user has them."""
        given, own, is_turned = self.draft.network, self.reading.own, self.reading.is_turned
        params = {own[n]: params[n].reshape(w.shape) for n, w in given.params.items()}
        inputs, theirs = named_inputs(x), named_inputs(given.x)
        data = {name: like(array, theirs[name], is_turned) for name, array in inputs.items()}
        y = like(y, given.y, is_turned)
        if self.keys:
            return params, dict(zip(self.keys, data.values(), strict=True)), y
        return params, packed(data, given.x), y

    def ours(self, found: Mapping[str, Any]):
        """Return what a pass returned under the reference's names, and in its layout."""
        reading, result = self.reading, {}
        found = with_parts(found, [name.partition("[")[0] for name in reading.own.values()])
        for name, theirs in reading.own.items():
            array = as_array(found.get(theirs))
            if array is not None and name not in reading.network.params:
                result[name] = reading.fitted(name, array)
        return result


def like(array, other, is_turned):
    """Return an array in the layout, and of the kind, of the user's own."""
    if is_turned and array.ndim == 2:
        array = array.T
    array = array.reshape(other.shape)
    return array if other.dtype.kind == "f" else array.astype(other.dtype)


def in_their_layout(network, reading, draft, keys):
    """Return a Network whose passes are the user's own, where it has any."""
    if network.forward is None:
        return network
    passes = OwnPasses(network.forward, network.backward, draft, reading, tuple(keys))
    return replace(network, forward=passes.forward, backward=passes.backward)
