"""A gradient that is returned, or kept for a parameter, is judged: no right local stands for it."""

import numpy as np
import pytest

import handgrad
from handgrad.pipeline import check_file

LAYERS = """
import numpy as np


def helper(d, x, w):
    dw = x.T @ d
    return dw, d @ w.T


class Layer:
    def __init__(self, w):
        self.w = w

    def forward(self, x):
        self.x = x
        return x @ self.w

    def backward(self, d):
        dw = self.x.T @ d
        self.grad_w = dw
        return d @ self.w.T


rng = np.random.default_rng(0)
"""

NET = (
    LAYERS
    + """
class Net:
    def __init__(self):
        self.one, self.two = Layer(rng.standard_normal((4, 3))), Layer(rng.standard_normal((3, 2)))

    def forward(self, x):
        return self.two.forward(self.one.forward(x))

    def backward(self, d):
        self.one.backward(self.two.backward(d))


net = Net()
x, y = rng.standard_normal((7, 4)), rng.standard_normal((7, 2))
out = net.forward(x)
loss = ((out - y) ** 2).sum()
net.backward(2 * (out - y))
"""
)

PASSES = (
    LAYERS
    + """
params = {"w": rng.standard_normal((4, 3)), "v": rng.standard_normal((3, 2))}
x, y = rng.standard_normal((7, 4)), rng.standard_normal((7, 2))


def forward(params, x, y):
    h = np.tanh(x @ params["w"])
    out = h @ params["v"]
    return ((out - y) ** 2).sum(), (h, out)


def backward(params, x, y, cache):
    h, out = cache
    dv, dh = helper(2 * (out - y), h, params["v"])
    dz = dh * (1 - h**2)
    dw, _ = helper(dz, x, params["w"])
    RETURN
"""
)

KEPT = "self.grad_w = dw"
LAST = "self.one.backward(self.two.backward(d))\n"


def verdict_of(text, tmp_path):
    """Return the one verdict on a file of this text."""
    path = tmp_path / "mine.py"
    path.write_text(text, encoding="utf-8")
    (report,) = check_file(path)
    return report.verdict


@pytest.mark.parametrize(
    "last",
    [
        'return {"grad_w": FACTOR * dw, "grad_v": dv}',
        'return {"w": FACTOR * dw, "v": dv}',
        'return {"grad_w": helper(dz, x, params["w"])[0] * FACTOR, "grad_v": dv}',
        'return {"grad_w": FACTOR * dw, "dw": dw, "v": dv}',
        "return FACTOR * dw, dv",
        "grad_w = FACTOR * dw\n    return dv, grad_w",
        'grads = {"w": dw, "v": dv}\n    grads["w"] *= FACTOR\n    return grads',
        'grads = {"w": dw.copy(), "v": dv}\n    grads["w"][:] = FACTOR * dw\n    return grads',
    ],
)
def test_what_is_returned_is_judged(tmp_path, last):
    text = PASSES.replace("RETURN", last)
    assert verdict_of(text.replace("FACTOR", "1.0"), tmp_path) == "match"
    assert verdict_of(text.replace("FACTOR", "2.0"), tmp_path) == "mismatch"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (KEPT, "self.grad_w = FACTOR * dw"),
        (KEPT, "self.w_grad = FACTOR * dw"),
        (KEPT, 'self.grads = {"w": FACTOR * dw}'),
        (KEPT, 'self.grads = {"dw": FACTOR * dw}'),
        (KEPT, "self.grad_w = dw\n        self.grad_w *= FACTOR"),
        (KEPT, "self.grad_w = dw\n        self.grad_w[:] = FACTOR * dw"),
        (KEPT, "self.gw = np.zeros_like(self.w)\n        self.gw += FACTOR * dw"),
        (
            f"dw = self.x.T @ d\n        {KEPT}",
            "self.grad_w = FACTOR * self.x.T @ d\n        dw = self.x.T @ d",
        ),
        (LAST, f"{LAST}        self.one.grad_w = self.one.grad_w * FACTOR\n"),
        (
            "net.backward(2 * (out - y))\n",
            "net.backward(2 * (out - y))\nnet.one.grad_w *= FACTOR\n",
        ),
    ],
)
def test_what_an_object_keeps_is_judged(tmp_path, old, new):
    assert NET.count(old) == 1
    text = NET.replace(old, new)
    assert verdict_of(text.replace("FACTOR", "1.0"), tmp_path) == "match"
    assert verdict_of(text.replace("FACTOR", "2.0"), tmp_path) == "mismatch"


def test_x_and_y_have_any_names_in_their_places():
    rng = np.random.default_rng(0)
    params = {"w": rng.standard_normal((4, 3))}

    def forward(params, x, y):
        h = np.tanh(x @ params["w"])
        return ((h - y) ** 2).sum(), (h, 2 * (h - y))

    def backward(params, inp, _, cache):
        h, dh = cache
        return {"w": inp.T @ (dh * (1 - h**2))}

    x, y = rng.standard_normal((7, 4)), rng.standard_normal((7, 3))
    assert handgrad.check(forward, backward, params, x, y).verdict == "match"
