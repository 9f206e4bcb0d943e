"""Lessons: the two versions of a network side by side, as pages and as notebooks."""
