"""The corrected line: a small change of the user's code, verified by running it."""
