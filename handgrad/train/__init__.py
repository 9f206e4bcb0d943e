"""The gallery's trainings, on both sides, and how far rounding lets their losses drift apart."""
