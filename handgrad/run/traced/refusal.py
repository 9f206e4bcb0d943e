"""The one refusal of this room."""

from handgrad.errors import InputError


class Untraceable(InputError):  # noqa: N818 - its name says what the code is
    """What was written cannot be followed by autograd; the sentence names the function."""
