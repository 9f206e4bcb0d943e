"""Traced arrays that are written into, read in parts, and observed."""

import numpy as np
import pytest
import torch

from handgrad.run.traced import Untraceable, plain, traced, tracing
from parity_tests.product_tests.traced_runs import gradients, leaf, namespace, run, slopes


def test_a_gradient_that_came_into_a_buffer_later_is_not_lost():
    x = traced(leaf(np.ones(3)))
    with tracing([]):
        buffer = traced(torch.zeros(2, 3, dtype=torch.float64))
        row = buffer[0]
        assert np.shape(row) == (3,)  # read before anything is written
        buffer[0] = x
    keep = np.zeros(3)
    with pytest.raises(Untraceable):
        keep[:] = row


def test_a_leaf_is_never_written_into():
    start = leaf(np.arange(3.0))
    x = traced(start)
    x += 1
    x[0] = 5.0
    x[1:] *= x[1:]
    assert start.tolist() == [0, 1, 2]
    assert x.tensor.tolist() == [5, 4, 9]
    (x.tensor.sum()).backward()
    assert start.grad.tolist() == [0, 4, 6]


def test_a_write_does_not_change_what_was_read_before():
    code = """
def f(a):
    h = np.zeros((3, 4))
    kept = []
    for t in range(3):
        h[t] = np.exp(a[t])
        kept.append(h[t] * h.sum())
        h[0, t] = kept[-1][0]
    return sum(k.sum() for k in kept) + h.sum()
"""
    array = np.random.default_rng(0).standard_normal((3, 4))
    result, leaves = run(code, array)
    np.testing.assert_allclose(
        gradients(result, leaves), slopes(namespace(code)["f"], [array]), rtol=1e-6
    )


def hooked(seen):
    """Return a function to observe by, which notes the gradients that come to a tensor."""

    def observe(tensor):
        copy = tensor.clone()
        copy.register_hook(lambda gradient: seen.append(gradient.tolist()))
        return copy

    return observe


def test_what_is_observed_is_what_later_lines_read():
    seen: list = []
    x = traced(leaf(np.arange(4.0)))
    h = x * 2
    h.observe(hooked(seen))
    (h[1:] ** 2).sum().tensor.backward()
    assert seen == [[0, 4, 8, 12]]


def test_a_view_that_is_observed_leaves_its_base_alone():
    seen: list = []
    z = traced(leaf(np.ones((2, 4)))) * 1
    gate = z[:, :2]
    gate.observe(hooked(seen))
    (gate.T.sum() * 3 + z.sum()).tensor.backward()
    assert seen == [[[3, 3], [3, 3]]]


def test_a_view_stays_observed_when_another_part_is_written():
    seen: list = []
    with tracing([]):
        h = traced(torch.zeros(3, 2, dtype=torch.float64))
        h[0] = traced(leaf(np.ones(2)))
        previous = h[0]
        previous.observe(hooked(seen))
        h[1] = previous * 2
        h[2, 0] = previous[0]
        (previous.sum() + h[1].sum()).tensor.backward()
        assert seen == [[3, 3]]
        h[0, 1] = 7.0
        assert plain(previous).tolist() == [1, 7]


def test_what_is_observed_in_place_is_in_the_base():
    h = traced(torch.zeros(3, 2, dtype=torch.float64))
    h[1].observe(lambda tensor: tensor + 5, in_place=True)
    assert plain(h).tolist() == [[0, 0], [5, 5], [0, 0]]
