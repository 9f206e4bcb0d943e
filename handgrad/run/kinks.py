"""Where a derivative jumps: what says on which side of it an entry lies."""

from torch import nn


class Decision(nn.Module):
    """What a user's own code decides something by: which side of 0 it is on is kept."""

    def forward(self, difference):
        """Return it as it is."""
        return difference


# Modules whose slope jumps at 0: on which side the input lies decides the derivative. (Kinks at
# other places, such as ReLU6's at 6, are not watched.)
KINKED = (nn.ReLU, nn.LeakyReLU, nn.PReLU, nn.ReLU6, nn.ELU, nn.CELU, nn.SELU, Decision)
