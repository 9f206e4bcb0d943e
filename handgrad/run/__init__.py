"""How either side runs: `hand_written` NumPy, the PyTorch `reference`, and in what `precision`.

Both give the same kind of dict, a trace: every quantity of one forward and backward pass by its
name, in the order of computing: the parameters, the values, the loss, then the gradients as
`grad_` and the name. `perturb` runs the reference again with every number moved a little.
"""
