"""How long the sums of a step are, as autograd's graph has them."""

import pytest
import torch

from handgrad.run.graph import step_of

N, D = 40, 30


def written(put):
    """Return a function that writes into a part of a buffer of zeros."""

    def function(a):
        buffer = torch.zeros(N, D, dtype=a.dtype)
        put(buffer, a)
        return buffer

    return function


def filled(buffer, a):
    for t in range(N):
        buffer[t] = a[t] + (buffer[t - 1] if t else 0)


def put_at(buffer, a):
    buffer[torch.arange(N).flip(0)] = a


def added_at(buffer, a):
    places = torch.tensor([0, 1, 1, 1, *[2] * (N - 4)])
    buffer.index_put_((places,), a, accumulate=True)


def where_true(buffer, a):
    buffer[a > 0] = 2 * a[a > 0]


@pytest.mark.parametrize(
    ("function", "forward", "backward"),
    [
        (written(where_true), 1, 2),  # likewise: half of the entries are above 0
        (written(filled), 1, N),  # a row may have been spread over all of the buffer
        (written(put_at), 1, 1),
        (written(added_at), 1 + N - 4, 1),
        (lambda a: a[torch.tensor([0, 0, 0, 3])], 1, 3),
        (lambda a: a[a > 0], 1, 1),
        (lambda a: torch.stack(list(a.unbind(0))[::-1]), 1, 1),
        (lambda a: a.where(a > 0, 0.0), 1, 1),
        (lambda a: a.diagonal(), 1, 1),
        (lambda a: a.as_strided((N, 10), (D, 1)), 1, 1),
        (lambda a: a.unfold(0, 10, 5), 1, 2),
        (lambda a: a.cummax(0)[0], N, N),
        (lambda a: a.nansum(0), N, 1),
        (lambda a: a @ a.T, D, N),
    ],
)
def test_the_longest_sum_of_a_step_is_read_off_the_graph(function, forward, backward):
    a = torch.linspace(-1, 1, N * D, dtype=torch.float64).reshape(N, D).requires_grad_()
    step = step_of(function(a), {a: "a"})
    assert (step.forward, step.sources["a"]) == (forward, backward)
