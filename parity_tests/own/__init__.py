"""Bring your own: a derivation in live variables, in a file or in a notebook.

`names` finds a reference's quantities among a user's names, `reference` makes a user's module
ready to be compared with, `check` compares, and `files` and `notebooks` run what is to be
checked.
"""
