"""What sees every operation of PyTorch, without the compiler."""

from torch.utils._python_dispatch import TorchDispatchMode


class DispatchMode(TorchDispatchMode):
    """A TorchDispatchMode that does not import PyTorch's compiler, which takes seconds.

    PyTorch from 2.9 on wraps each mode so that it is never compiled; nothing is compiled here.
    """

    @classmethod
    def _should_skip_dynamo(cls):
        """Say that it need not be wrapped."""
        return False
