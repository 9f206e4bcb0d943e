"""Mistakes that others made in hand-written gradients, each found in public and written anew.

`programs/` has right programs in the styles of the sources, `cases_*.py` the mistakes: one edit of
a program each, with the sentence that a good teacher would say and the thread, commit or page that
it was found in. `python -m benchmarks.found` says what Handgrad makes of them.
"""
