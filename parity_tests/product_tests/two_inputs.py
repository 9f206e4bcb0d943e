"""A network of another kind than the gallery's: two inputs, one of whole numbers, no training."""

import pytest

from handgrad.load import gallery
from parity_tests.product_tests.lesson_tools import install

NAME = "two_inputs"

MANUAL = r'''r"""A table of rows, picked by whole numbers: one input picks, the other adds.

Forward, for n rows:

    picked  $p = [k = x_2] \, t$      (n, h)
    total   $s = p + x_1 w$           (n, h)
    loss    $L = \sum s \odot y$      a number

Backward, from the end:

1. The slope is $y$:
      grad_total   $\nabla s = y$
2. A sum:
      grad_picked  $\nabla p = \nabla s$
      grad_w       $\nabla w = x_1^\top \nabla s$
3. Every row gets what comes back to where it was picked:
      grad_table   $\nabla t = [k = x_2]^\top \nabla p$
"""

import math

import numpy as np

SCALE = 2


def init(rng, n=6, d_in=3, rows=5, h=2):
    params = {"table": rng.standard_normal((rows, h)), "w": rng.standard_normal((d_in, h))}
    return params, (rng.standard_normal((n, d_in)), rng.integers(0, rows, n)), np.ones((n, h))


def forward(params, x, y):
    x1, x2 = x
    table, w = params["table"], params["w"]
    picked = np.eye(len(table))[x2] @ table  # (n, h)
    total = picked + x1 @ w  # (n, h)
    loss = SCALE * math.fsum((total * y).flat) / 2  # a number
    return {"picked": picked, "total": total, "loss": loss}


def backward(params, x, y, values):
    x1, x2 = x
    table = params["table"]
    grad_total = y  # (n, h)
    grad_picked = grad_total  # (n, h)
    grad_w = x1.T @ grad_total  # (d_in, h)
    grad_table = np.eye(len(table))[x2].T @ grad_picked  # (rows, h)
    return {
        "grad_total": grad_total,
        "grad_picked": grad_picked,
        "grad_w": grad_w,
        "grad_table": grad_table,
    }
'''

TORCH = '''"""The same in PyTorch."""

import torch
from torch import nn

PARAMETERS = {"table": "picked.weight", "w": "w"}


def loss_fn(total, y):
    return (total * y).sum()


class Net(nn.Module):
    def __init__(self, d_in=3, rows=5, h=2):
        super().__init__()
        self.picked = nn.Embedding(rows, h)
        self.w = nn.Parameter(torch.zeros(d_in, h))
        self.total = nn.Identity()

    def forward(self, x1, x2):
        return self.total(self.picked(x2) + x1 @ self.w)
'''


@pytest.fixture
def two_inputs(monkeypatch, tmp_path):
    """Give the network's name; it is in the gallery while a test runs."""
    install(monkeypatch, tmp_path, "manual", NAME, MANUAL)
    install(monkeypatch, tmp_path, "torch_ref", NAME, TORCH)
    monkeypatch.setitem(gallery.GALLERY, NAME, "")
    return NAME
