"""Two convolutions in one dimension, a max pooling whose windows overlap, np.maximum of halves."""

import numpy as np

WIDTH = 3


def init(rng, n=5, length=14, filters=4, h=6):
    params = {
        "kernel": rng.standard_normal((filters, 3)),
        "gate": rng.standard_normal((filters, 3)),
        "dense": rng.standard_normal((filters * 10, h)),
        "last": rng.standard_normal((h // 2, 2)),
    }
    return params, rng.standard_normal((n, length)), rng.standard_normal((n, 2))


def correlate(x, kernel):
    steps = x.shape[1] - kernel.shape[1] + 1
    out = np.zeros((len(x), len(kernel), steps))
    for k in range(kernel.shape[1]):
        out += x[:, None, k : k + steps] * kernel[None, :, k, None]
    return out


def forward(params, x, y):
    z = correlate(x, params["kernel"])
    gate = correlate(x, params["gate"])
    s = 1 / (1 + np.exp(-gate))
    a = z * s
    steps = a.shape[2] - WIDTH + 1
    pooled = np.zeros((len(x), a.shape[1], steps))
    for i in range(steps):
        pooled[:, :, i] = a[:, :, i : i + WIDTH].max(axis=2)
    flat = pooled.reshape(len(x), -1)
    both = flat @ params["dense"]
    half = both.shape[1] // 2
    left, right = both[:, :half], both[:, half:]
    top = np.maximum(left, right)
    out = top @ params["last"]
    loss = np.sum((out - y) ** 2)
    values = {"z": z, "s": s, "a": a, "pooled": pooled, "flat": flat}
    return values | {"left": left, "right": right, "top": top, "out": out, "loss": loss}


def backward(params, x, y, values):
    a, z, s = values["a"], values["z"], values["s"]
    left, right = values["left"], values["right"]
    grad_out = 2 * (values["out"] - y)
    grad_last = values["top"].T @ grad_out
    grad_top = grad_out @ params["last"].T
    grad_left = grad_top * (left >= right)
    grad_right = grad_top * (left < right)
    grad_both = np.concatenate([grad_left, grad_right], axis=1)
    grad_dense = values["flat"].T @ grad_both
    grad_pooled = (grad_both @ params["dense"].T).reshape(values["pooled"].shape)
    grad_a = np.zeros_like(a)
    for i in range(grad_pooled.shape[2]):
        window = a[:, :, i : i + WIDTH]
        is_max = window == window.max(axis=2, keepdims=True)
        grad_a[:, :, i : i + WIDTH] += is_max * grad_pooled[:, :, i, None]
    grad_z = grad_a * s
    grad_gate_in = grad_a * z * s * (1 - s)
    grad_kernel, grad_gate = np.zeros_like(params["kernel"]), np.zeros_like(params["gate"])
    for k in range(grad_kernel.shape[1]):
        part = x[:, None, k : k + grad_z.shape[2]]
        grad_kernel[:, k] = np.sum(grad_z * part, axis=(0, 2))
        grad_gate[:, k] = np.sum(grad_gate_in * part, axis=(0, 2))
    return {
        "grad_a": grad_a,
        "grad_kernel": grad_kernel,
        "grad_gate": grad_gate,
        "grad_dense": grad_dense,
        "grad_last": grad_last,
    }
