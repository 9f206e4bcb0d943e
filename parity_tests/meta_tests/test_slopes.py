"""Slopes that people write for an activation's, with the user's own forward pass as the reference.

Each is told with the output named, and with no name for it: then what comes in is not known.
"""

import numpy as np
import pytest

import handgrad


def sigmoid(h):
    return 1 / (1 + np.exp(-h))


def leaky(h):
    return np.where(h > 0, h, 0.1 * h)


def softplus(h):
    return np.log1p(np.exp(h))


def elu(h):
    return np.where(h > 0, h, np.exp(np.minimum(h, 0)) - 1)


# The activation, what stands for `da * slope`, and what is said of it.
WRITTEN = [
    (np.tanh, lambda h, a, da: da * a * (1 - a), "`a` * (1 - `a`), where 1 - `a`**2 is meant"),
    (np.tanh, lambda h, a, da: da * (1 + a**2), "1 + `a`**2, where"),
    (np.tanh, lambda h, a, da: da * a**2, "`a`**2, where"),
    (np.tanh, lambda h, a, da: da * (1 - a**2) ** 2, "is applied twice"),
    (np.tanh, lambda h, a, da: 1 - a**2, "stands alone: `came` is not multiplied by it"),
    (np.tanh, lambda h, a, da: da + 1 - a**2, "is added to `came`"),
    (np.tanh, lambda h, a, da: da * (1 - h**2), "fed with the input `h`"),
    (np.tanh, lambda h, a, da: da * (h > 0), "that of the ReLU"),
    (sigmoid, lambda h, a, da: da * (1 - a**2), "1 - `a`**2, where `a` * (1 - `a`) is meant"),
    (leaky, lambda h, a, da: da * (h > 0), "that of the ReLU"),
    (leaky, lambda h, a, da: da * np.where(h > 0, 1, -0.1), "1 where `h` > 0, and -0.1 elsewhere"),
    (softplus, lambda h, a, da: da * a * (1 - a), "`a` * (1 - `a`), where sigmoid(`h`) is meant"),
    (elu, lambda h, a, da: da * np.where(h > 0, 1, a), "np.where(`h` > 0, 1, `a`), where"),
]


def cause_of(activation, written, has_output):
    """Check two layers with something else for a slope; return the message for `dh`."""

    def forward(params, x, y):
        h = x @ params["w"]
        a = activation(h)
        out = a @ params["v"]
        return {"h": h, "a": a, "out": out, "loss": ((out - y) ** 2).sum()}

    def backward(params, x, y, values):
        h, a = values["h"], values["a"]
        dout = 2 * (values["out"] - y)
        if has_output:
            came = dout @ params["v"].T
            dh = written(h, a, came)
        else:
            dh = written(h, a, dout @ params["v"].T)
        return {"out": dout, "h": dh, "w": x.T @ dh, "v": a.T @ dout}

    rng = np.random.default_rng(1)
    params = {"w": rng.standard_normal((3, 5)), "v": rng.standard_normal((5, 2))}
    x, y = rng.standard_normal((7, 3)), rng.standard_normal((7, 2))
    report = handgrad.check(forward, backward, params, x, y)
    return next(f.cause.message for f in report.findings if f.name in ("dh", "h") and f.cause)


@pytest.mark.parametrize(("activation", "written", "said"), WRITTEN)
def test_a_slope_is_told(activation, written, said):
    assert said in cause_of(activation, written, has_output=True)


@pytest.mark.parametrize(("activation", "written", "said"), [WRITTEN[3], WRITTEN[10], WRITTEN[11]])
def test_a_slope_is_told_where_the_output_has_no_gradient(activation, written, said):
    found = cause_of(activation, written, has_output=False)
    assert said.replace("`a`", "softplus(`h`)") in found
