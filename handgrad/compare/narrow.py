"""Numbers that a reference keeps in float32 while the rest is computed in float64.

A buffer made as `torch.tensor([0.1])`, or a constant in the forward pass, is 0.1 to eight digits,
and a derivation with all digits of 0.1 is right all the same. So where something differs, the
numbers are moved by what float32 rounds, and a difference that this explains is no mistake.
"""

from dataclasses import replace

import numpy as np
import torch

from handgrad.run.mode import DispatchMode
from handgrad.run.perturb import REFUSALS
from handgrad.run.precision import FLOAT32, FLOAT64, to_numpy
from handgrad.run.reference import Substitute, run_reference

DRAWS = 4
EXACT = 0xFFF  # a number with so many last bits of 0 was meant as it is: 0.5, 3, a mask's -inf


def without_narrow(found, whole, steps):
    """Return the Findings of steps and of the whole run, and notes.

    What numbers in float32 explain is a match. `whole` is by name; `found` is in order.
    """
    bad = [f for f in (*found, *whole.values()) if f.verdict in ("wrong", "mismatch")]
    if not bad or steps.precision.name != FLOAT64.name:
        return found, whole, []
    buffers = narrow_buffers(steps.network.reference)
    if not buffers and not steps.has_constants:
        return found, whole, []
    stepwise, has_constants = moves(steps.network, buffers, Substitute(steps.actual))
    if not buffers and not has_constants:
        return found, whole, []
    wholly, _ = moves(steps.network, buffers, None)
    excused = [matching(finding, stepwise.get(finding.name), steps) for finding in found]
    also = {name: matching(f, wholly.get(name), steps) for name, f in whole.items()}
    if excused == found and also == whole:
        return found, whole, []
    what = [f"the buffer {path}" for path in buffers] + ["a constant"] * has_constants
    note = (
        f"The reference has numbers in float32 ({', '.join(what)}): what is computed from them is "
        "judged by their digits, not by those of float64."
    )
    return excused, also, [note]


def narrow_buffers(reference):
    """Return the buffers in float32, by path, that no hand-written array stands for."""
    return {
        path: to_numpy(buffer)
        for path, buffer in reference.model.named_buffers()
        if buffer.dtype is torch.float32 and path not in reference.buffers
    }


def moves(network, buffers, substitute):
    """Return how far each quantity moves with the numbers in float32, and if there are constants.

    Those in a buffer are apart: whether any other number in float32 meets one in float64.
    """
    exact = run_reference(network, FLOAT64, substitute=substitute).quantities
    found = {name: np.zeros(array.shape) for name, array in exact.items()}
    has_constants = False
    for number in range(DRAWS):
        moved = {path: nudged(array, number) for path, array in buffers.items()}
        reference = replace(network.reference, buffers={**network.reference.buffers, **moved})
        mode = NudgedConstants(number)
        try:
            with mode:
                drawn = run_reference(
                    replace(network, reference=reference), FLOAT64, substitute=substitute
                ).quantities
        except REFUSALS:  # a loss that takes no number beyond 1, say
            continue
        has_constants = has_constants or mode.has_met
        if not buffers and not has_constants:
            break
        for name, array in exact.items():
            apart = np.abs(np.subtract(drawn[name], array, dtype=np.float64))
            found[name] = np.fmax(found[name], apart)
    return found, has_constants


def nudged(array, number):
    """Return an array of float32 in float64, moved by its last bit: up, or at random.

    The move is the same wherever the array is used.
    """
    array = np.asarray(array, np.float32)
    rng = np.random.default_rng(number)
    signs = rng.choice([-1.0, 1.0], array.shape) if number else np.ones(array.shape)
    is_exact = array.view(np.int32) & EXACT == 0
    return array * (1.0 + np.where(is_exact, 0.0, signs * FLOAT32.eps / 2))


def matching(finding, move, steps):
    """Return a Finding as a match, where numbers in float32 explain the difference."""
    if finding.verdict not in ("wrong", "mismatch") or move is None:
        return finding
    if finding.actual.shape != finding.expected.shape:
        return finding
    apart = np.abs(np.subtract(finding.actual, finding.expected, dtype=np.float64))
    allowed = steps.precision.safety * move + finding.tolerance
    if not (apart <= allowed).all():
        return finding
    return replace(finding, verdict="match", tolerance=float(allowed.max()), ratio=0.0)


class NudgedConstants(DispatchMode):
    """Move each tensor in float32 that goes into an operation together with one in float64.

    Without a `number`, which says by how much, just see whether there is any.
    """

    def __init__(self, number=None):
        super().__init__()
        self.number, self.has_met = number, False

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        """Run an operation on the moved numbers."""
        tensors = [a for a in args if isinstance(a, torch.Tensor)]
        dtypes = {tensor.dtype for tensor in tensors}
        copies = func.overloadpacket in (torch.ops.aten._to_copy, torch.ops.aten.copy_)
        if {torch.float32, torch.float64} <= dtypes and not copies:
            self.has_met = True
            if self.number is None:
                return func(*args, **(kwargs or {}))
            args = [self.moved(a) if isinstance(a, torch.Tensor) else a for a in args]
        return func(*args, **(kwargs or {}))

    def moved(self, tensor):
        """Return a tensor in float32 moved, in float64."""
        if tensor.dtype is not torch.float32:
            return tensor
        return torch.from_numpy(np.array(nudged(tensor.detach().numpy(), self.number)))
