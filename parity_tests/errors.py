"""The one exception for what a user can get wrong: the command line prints it and exits 2."""


class InputError(ValueError):
    """One sentence that names the thing, what was expected, what was found and what to do."""

    def _render_traceback_(self):
        """Return what Jupyter shows in place of a traceback: the sentence says it all."""
        return [f"{type(self).__name__}: {self}"]
