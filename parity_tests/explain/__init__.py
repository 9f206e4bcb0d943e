"""Code that explains: what kind of mistake a wrong quantity looks like, and who is to blame.

`causes` tries one explanation after another on a wrong quantity, `shapes`, `scales` and
`recomputed` hold them, and `witness` asks whether a backward pass differentiates its forward.
"""
