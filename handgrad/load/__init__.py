"""Where a Network comes from: the `gallery`, a `file`, a `notebook`, or live `variables`.

`names` finds the reference's quantities among a user's names, `module` and `weights` ask whether
the reference can be one, `execute` runs what is the user's, and `lines` says where each quantity
is computed.
"""
