"""Why a wrong quantity is wrong: `causes` are asked one after another about a `case`.

`finite_difference` asks whether a backward pass differentiates its own forward pass.
"""
