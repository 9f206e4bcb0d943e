"""Correct derivations beyond the notebook's, to plant mistakes in."""
