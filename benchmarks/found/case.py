"""A Case: one mistake that somebody made, as one edit of a right program."""

import hashlib
from pathlib import Path
from typing import NamedTuple

PROGRAMS = Path(__file__).parent / "programs"


class Case(NamedTuple):
    """One edit of a right program, and what a good teacher would say of it.

    Attributes:
        id: its name; it decides the part, so it is never changed.
        program: the name of the file in `programs/`, without `.py`.
        old, new: the text that is replaced, which occurs exactly once, and what it becomes.
        wrong: the quantities that are themselves wrong, not only computed from wrong ones.
        says: the sentence that a good teacher would say.
        source: the address of the thread, issue, commit or page that it was found in.
        keys: words in lower case of which a true explanation has at least one.
    """

    id: str
    program: str
    old: str
    new: str
    wrong: tuple[str, ...]
    says: str
    source: str
    keys: tuple[str, ...]

    @property
    def part(self) -> str:
        """Say which part it is in: the third that is set aside is for nobody to tune code to."""
        digest = hashlib.sha256(self.id.encode()).hexdigest()
        return "set-aside" if int(digest, 16) % 3 == 0 else "shown"

    def right_text(self) -> str:
        """Return the text of the right program."""
        return (PROGRAMS / f"{self.program}.py").read_text(encoding="utf-8")

    def wrong_text(self) -> str:
        """Return the text of the program with the mistake.

        Raises:
            ValueError: what is replaced does not occur exactly once.
        """
        text = self.right_text()
        if text.count(self.old) != 1:
            raise ValueError(f"{self.id}: {self.old!r} occurs {text.count(self.old)} times")
        return text.replace(self.old, self.new)

    @property
    def right(self) -> str:
        """Return the line, or the lines, that the mistake is in, as they should be."""
        text = self.right_text()
        start = text.index(self.old)
        end = start + len(self.old.rstrip("\n"))
        first, last = text.rfind("\n", 0, start) + 1, text.find("\n", end)
        return "\n".join(line.strip() for line in text[first:last].splitlines())

    @property
    def number(self) -> int:
        """Return the number of the first line that the mistake is in."""
        text = self.right_text()
        start = text.index(self.old)
        return text.count("\n", 0, start + len(self.old) - len(self.old.lstrip("\n"))) + 1


def github(repository: str, path: str | int) -> str:
    """Return the address of an issue, by its number, of `pull/N` or of `commit/...`."""
    place = f"issues/{path}" if isinstance(path, int) else path
    return f"https://github.com/{repository}/{place}"
