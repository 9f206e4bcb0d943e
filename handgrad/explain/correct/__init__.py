"""The corrected line: which small change of the user's code makes it right, verified by running it."""
