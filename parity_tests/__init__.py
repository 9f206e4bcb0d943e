"""Compares hand-written NumPy networks with PyTorch: the only package that knows both sides."""
