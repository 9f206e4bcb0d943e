"""Masked self-attention of several heads, as a layer: projections, scores, softmax, output."""

import numpy as np


class Attention:
    def __init__(self, params, heads):
        self.p, self.heads = params, heads

    def split(self, t):
        n, length, width = t.shape
        return t.reshape(n, length, self.heads, width // self.heads).transpose(0, 2, 1, 3)

    def join(self, t):
        n, _, length, _ = t.shape
        return t.transpose(0, 2, 1, 3).reshape(n, length, -1)

    def forward(self, inputs):
        self.inputs = inputs
        self.Q = self.split(inputs @ self.p["WQ"])
        self.K = self.split(inputs @ self.p["WK"])
        self.V = self.split(inputs @ self.p["WV"])
        self.scale = np.sqrt(self.K.shape[-1])
        energy = self.Q @ self.K.transpose(0, 1, 3, 2) / self.scale
        future = np.triu(np.ones(energy.shape[-2:], dtype=bool), k=1)
        energy = np.where(future, -1e9, energy)
        exps = np.exp(energy - energy.max(axis=-1, keepdims=True))
        self.attention = exps / exps.sum(axis=-1, keepdims=True)
        self.mixed = self.join(self.attention @ self.V)
        return self.mixed @ self.p["WO"]

    def backward(self, error):
        grad_WO = np.einsum("nti,nto->io", self.mixed, error)
        dmixed = self.split(error @ self.p["WO"].T)
        dV = self.attention.transpose(0, 1, 3, 2) @ dmixed
        dattention = dmixed @ self.V.transpose(0, 1, 3, 2)
        inner = np.sum(dattention * self.attention, axis=-1, keepdims=True)
        denergy = self.attention * (dattention - inner)
        denergy = denergy / self.scale
        dQ = denergy @ self.K
        dK = denergy.transpose(0, 1, 3, 2) @ self.Q
        dq, dk, dv = self.join(dQ), self.join(dK), self.join(dV)
        grad_WQ = np.einsum("nti,nto->io", self.inputs, dq)
        grad_WK = np.einsum("nti,nto->io", self.inputs, dk)
        grad_WV = np.einsum("nti,nto->io", self.inputs, dv)
        self.grads = {"WQ": grad_WQ, "WK": grad_WK, "WV": grad_WV, "WO": grad_WO}
        dinputs = dq @ self.p["WQ"].T + dk @ self.p["WK"].T + dv @ self.p["WV"].T
        return dinputs


def init(rng, n=3, length=5, width=6, d=4, heads=2):
    params = {name: rng.standard_normal((width, width)) / 2 for name in ("WQ", "WK", "WV", "WO")}
    params["We"] = rng.standard_normal((d, width))
    return params, rng.standard_normal((n, length, d)), rng.standard_normal((n, length, width))


def forward(params, x, y):
    embedded = x @ params["We"]
    layer = Attention(params, 2)
    out = layer.forward(embedded)
    loss = np.mean((out - y) ** 2)
    return loss, (layer, out)


def backward(params, x, y, cache):
    layer, out = cache
    error = 2 * (out - y) / y.size
    dembedded = layer.backward(error)
    grad_We = np.einsum("ntd,ntw->dw", x, dembedded)
    return {"We": grad_We, **layer.grads}
