"""Code that compares, in the order in which the data flows.

`weights` loads identical weights into the reference, `trace` runs either side and records
every quantity, `noise` measures what rounding alone can do, `judge` compares two traces
under that measure, and `run` ties them together for one variant.
"""
