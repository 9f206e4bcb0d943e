"""Code that draws: reports as tables, as JSON and as pictures. Nothing here computes a verdict."""
