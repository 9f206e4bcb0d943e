"""What is measured, a script each: `make bench`, `make evidence`."""
