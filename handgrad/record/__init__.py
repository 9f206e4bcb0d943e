"""Runs as files: `take` one here, compare it there (`diff`), and train on several ranks."""
