"""The gallery's networks in idiomatic PyTorch, one file a network."""
