"""A check against `torch.autograd.gradcheck` on the same network: `make bench`.

gradcheck asks whether autograd differentiates the network, by finite differences: in slow mode
for each parameter in turn, in fast mode along one random direction. `check` asks whether a
hand-written derivation is right, and which of its steps is not. Both run in float64.
"""

import torch

from benchmarks.speed import compare
from handgrad import check
from handgrad.load import gallery
from handgrad.run.hand_written import run_hand_written

NAME = "three_layer_relu_bias"
torch_side = gallery.torch_side(NAME)

# sizes n, d_in, h1, h2, d_out: 137, 8,580 and 134,154 parameters
SIZES = ((64, 6, 8, 8, 1), (64, 64, 64, 64, 4), (64, 256, 256, 256, 10))


def setup(sizes):
    """Return the two functions to time."""
    network = gallery.load(NAME, sizes=dict(zip(gallery.sizes_of(NAME), sizes, strict=True)))
    actual, x, y = run_hand_written(network), network.x, network.y
    net = torch_side.Net(*sizes[1:])
    names = torch_side.PARAMETERS

    reference = torch_side.Net(*sizes[1:]).double()
    tensors = {
        path: parameter.detach().clone().requires_grad_()
        for path, parameter in reference.named_parameters()
    }
    x_tensor, y_tensor = torch.tensor(x), torch.tensor(y)

    def loss(*values):
        parameters = dict(zip(tensors, values, strict=True))
        output = torch.func.functional_call(reference, parameters, (x_tensor,))
        return torch_side.loss_fn(output, y_tensor)

    def gradcheck(fast):
        return torch.autograd.gradcheck(
            loss, tuple(tensors.values()), fast_mode=fast, raise_exception=False
        )

    return lambda: check(actual, net, x, y, names=names), gradcheck


def main():
    """Print every row."""
    for sizes in SIZES:
        ours, gradcheck = setup(sizes)
        title = f"check against gradcheck, fast mode, {' x '.join(map(str, sizes))}"
        compare(title, ours, lambda g=gradcheck: g(True), 0.7, 15)
    ours, gradcheck = setup(SIZES[1])
    compare(
        "check against gradcheck, slow mode, 64 x 64 x 64 x 64 x 4",
        ours,
        lambda: gradcheck(False),
        1 / 500,
        3,
    )


if __name__ == "__main__":
    main()
