"""Runs that are kept in files, and compared with runs of other machines."""
