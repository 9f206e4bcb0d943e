"""The parity tests: every variant, both versions, against what rounding allows."""
