"""The gallery's networks in hand-written NumPy, one file a network."""
