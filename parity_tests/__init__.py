"""The parity suite: identical weights into both versions of every network, and assert."""
