"""Two traces against each other: `tolerance` measures what rounding can do, `judge` decides.

`steps` asks again where a quantity differs: is it right all the same?
"""
