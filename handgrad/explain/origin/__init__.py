"""Where nan or inf first appears: the operation, its line, and the way from there.

In the order of reading: `value` (what each part of a line gives), `history` (the lines of a run
that make what is not finite, and what each has it from), `operation` (what an operation did to
the numbers), `sentence`.
"""

from handgrad.explain.origin.sentence import Origins, with_origins

__all__ = ["Origins", "with_origins"]
