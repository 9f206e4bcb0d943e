"""What goes wrong by a user's doing: bad input, and a derivation that does not match."""


class InputError(ValueError):
    """One sentence that names the thing, what was expected, what was found and what to do.

    The command line prints it and exits with 2.
    """

    def _render_traceback_(self) -> list[str]:
        """Return what Jupyter shows in place of a traceback: the sentence says it all."""
        return [f"{type(self).__name__}: {self}"]


class MismatchError(AssertionError):
    """A derivation is wrong; the message is the report."""
