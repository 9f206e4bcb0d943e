"""A user's own NumPy forward pass, run once so that PyTorch's autograd follows it.

`array` is the traced array, and `tracing` lets a namespace's NumPy make and take them. What
cannot be followed is refused by `Untraceable`: nothing is detached in silence.
"""

from handgrad.run.traced.array import Traced, plain, traced
from handgrad.run.traced.namespaces import tracing
from handgrad.run.traced.refusal import Untraceable

__all__ = ["Traced", "Untraceable", "plain", "traced", "tracing"]
