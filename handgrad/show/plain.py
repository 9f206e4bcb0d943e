"""Text from outside, such as names, code and messages, made safe to show."""

from unicodedata import category

from rich.markup import escape

# Control characters, format ones (they turn the direction of writing, or cannot be seen), halves
# of a character, and the separators of lines and paragraphs.
UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")


def visible(text: object) -> str:
    r"""Return a text with what cannot be seen as its escape, such as `\x1b`."""
    return "".join(
        char.encode("unicode_escape").decode() if category(char) in UNSEEN else char
        for char in str(text)
    )


def plain(text: object) -> str:
    """Return a text as rich markup that shows just that text."""
    return escape(visible(text))
