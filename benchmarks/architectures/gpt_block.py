"""A block of a GPT: layer norm, causal attention of several heads, layer norm, MLP with GELU."""

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional

PARAMETERS = {
    **{"g1": "norm1.weight", "b1": "norm1.bias", "g2": "norm2.weight", "b2": "norm2.bias"},
    **{"w_qkv": "qkv.weight.T", "b_qkv": "qkv.bias", "w_o": "mixed.weight.T", "b_o": "mixed.bias"},
    **{"w_up": "up.weight.T", "b_up": "up.bias", "w_down": "down.weight.T", "b_down": "down.bias"},
}
loss_fn = nn.MSELoss(reduction="sum")


def init(rng, n=2, t=4, heads=2, h=3):
    d = heads * h

    def weight(*shape):
        return rng.standard_normal(shape) / math.sqrt(shape[0])

    params = {
        **{"g1": 1 + weight(d), "b1": weight(d), "g2": 1 + weight(d), "b2": weight(d)},
        **{"w_qkv": weight(d, 3 * d), "b_qkv": weight(3 * d), "w_o": weight(d, d)},
        **{"b_o": weight(d), "w_up": weight(d, 4 * d), "b_up": weight(4 * d)},
        **{"w_down": weight(4 * d, d), "b_down": weight(d)},
    }
    # how many heads there are, nobody can tell from the weights: they come as an axis of y
    return params, rng.standard_normal((n, t, d)), rng.standard_normal((n, t, heads, h))


def standardize(a):
    centred = a - a.mean(axis=2, keepdims=True)
    return centred / np.sqrt(np.square(centred).mean(axis=2, keepdims=True) + 1e-5)


def standardize_backward(a, grad):
    z = standardize(a)
    spread = np.sqrt(a.var(axis=2, keepdims=True) + 1e-5)
    along = (grad * z).mean(axis=2, keepdims=True)
    return (grad - grad.mean(axis=2, keepdims=True) - z * along) / spread


def split(qkv, heads):
    """Return q, k and v, each (n, heads, t, h)."""
    n, t, _ = qkv.shape
    return qkv.reshape(n, t, 3, heads, -1).transpose(2, 0, 3, 1, 4)


def gelu_slope(a):
    c = math.sqrt(2 / math.pi)
    tanh = np.tanh(c * (a + 0.044715 * a**3))
    return 0.5 * (1 + tanh) + 0.5 * a * (1 - tanh**2) * c * (1 + 3 * 0.044715 * a**2)


def forward(params, x, y):
    norm1 = params["g1"] * standardize(x) + params["b1"]
    qkv = norm1 @ params["w_qkv"] + params["b_qkv"]
    q, k, v = split(qkv, y.shape[2])
    scores = q @ k.swapaxes(2, 3) / math.sqrt(q.shape[3])
    scores = np.where(np.triu(np.ones(scores.shape[2:], bool), 1), -np.inf, scores)
    shifted = np.exp(scores - scores.max(axis=3, keepdims=True))
    weights = shifted / shifted.sum(axis=3, keepdims=True)
    heads = (weights @ v).swapaxes(1, 2).reshape(x.shape)
    mixed = heads @ params["w_o"] + params["b_o"]
    a = x + mixed
    norm2 = params["g2"] * standardize(a) + params["b2"]
    up = norm2 @ params["w_up"] + params["b_up"]
    gelu = 0.5 * up * (1 + np.tanh(math.sqrt(2 / math.pi) * (up + 0.044715 * up**3)))
    down = gelu @ params["w_down"] + params["b_down"]
    y_pred = (a + down).reshape(y.shape)
    loss = np.square(y_pred - y).sum()
    return {
        **{"norm1": norm1, "qkv": qkv, "weights": weights, "heads": heads, "mixed": mixed},
        **{"a": a, "norm2": norm2, "up": up, "gelu": gelu, "down": down},
        **{"y_pred": y_pred, "loss": loss},
    }


def backward(params, x, y, values):
    weights, a, up = values["weights"], values["a"], values["up"]
    q, k, v = split(values["qkv"], y.shape[2])
    grad_y_pred = 2 * (values["y_pred"] - y)
    grad_down = grad_y_pred.reshape(x.shape)
    grad_w_down = np.einsum("nti,ntj->ij", values["gelu"], grad_down)
    grad_gelu = grad_down @ params["w_down"].T
    grad_up = grad_gelu * gelu_slope(up)
    grad_w_up = np.einsum("nti,ntj->ij", values["norm2"], grad_up)
    grad_norm2 = grad_up @ params["w_up"].T
    grad_g2 = (grad_norm2 * standardize(a)).sum(axis=(0, 1))
    grad_a = grad_down + standardize_backward(a, grad_norm2 * params["g2"])
    grad_mixed = grad_a
    grad_w_o = np.einsum("nti,ntj->ij", values["heads"], grad_mixed)
    grad_heads = grad_mixed @ params["w_o"].T
    grad_per_head = grad_heads.reshape(y.shape).swapaxes(1, 2)
    grad_v = weights.swapaxes(2, 3) @ grad_per_head
    grad_weights = grad_per_head @ v.swapaxes(2, 3)
    inner = (grad_weights * weights).sum(axis=3, keepdims=True)
    grad_scores = weights * (grad_weights - inner) / math.sqrt(q.shape[3])
    grad_q = grad_scores @ k
    grad_k = grad_scores.swapaxes(2, 3) @ q
    joined = np.stack([grad_q, grad_k, grad_v])  # (3, n, heads, t, h)
    grad_qkv = joined.transpose(1, 3, 0, 2, 4).reshape(values["qkv"].shape)
    grad_w_qkv = np.einsum("nti,ntj->ij", values["norm1"], grad_qkv)
    grad_norm1 = grad_qkv @ params["w_qkv"].T
    grad_g1 = (grad_norm1 * standardize(x)).sum(axis=(0, 1))
    return {
        **{"grad_y_pred": grad_y_pred, "grad_down": grad_down, "grad_w_down": grad_w_down},
        **{"grad_b_down": grad_down.sum(axis=(0, 1)), "grad_gelu": grad_gelu, "grad_up": grad_up},
        **{"grad_w_up": grad_w_up, "grad_b_up": grad_up.sum(axis=(0, 1))},
        **{"grad_norm2": grad_norm2, "grad_g2": grad_g2, "grad_b2": grad_norm2.sum(axis=(0, 1))},
        **{"grad_a": grad_a, "grad_mixed": grad_mixed, "grad_w_o": grad_w_o},
        **{"grad_b_o": grad_mixed.sum(axis=(0, 1)), "grad_heads": grad_heads},
        **{"grad_weights": grad_weights, "grad_qkv": grad_qkv, "grad_w_qkv": grad_w_qkv},
        **{"grad_b_qkv": grad_qkv.sum(axis=(0, 1)), "grad_norm1": grad_norm1},
        **{"grad_g1": grad_g1, "grad_b1": grad_norm1.sum(axis=(0, 1))},
    }


class Net(nn.Module):
    def __init__(self, heads=2, h=3):
        super().__init__()
        d, self.shape = heads * h, (heads, h)
        self.norm1 = nn.LayerNorm(d)
        self.qkv = nn.Linear(d, 3 * d)
        self.weights = nn.Identity()
        self.heads = nn.Flatten(2)
        self.mixed = nn.Linear(d, d)
        self.a = nn.Identity()
        self.norm2 = nn.LayerNorm(d)
        self.up = nn.Linear(d, 4 * d)
        self.gelu = nn.GELU(approximate="tanh")
        self.down = nn.Linear(4 * d, d)
        self.y_pred = nn.Unflatten(2, (heads, h))

    def forward(self, x):
        qkv = self.qkv(self.norm1(x)).unflatten(2, (3, *self.shape))
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # (n, heads, t, h) each
        scores = q @ k.transpose(2, 3) / math.sqrt(self.shape[1])
        later = torch.ones(scores.shape[2:], dtype=torch.bool).triu(1)
        weights = self.weights(functional.softmax(scores.masked_fill(later, -torch.inf), dim=3))
        a = self.a(x + self.mixed(self.heads((weights @ v).transpose(1, 2))))
        return self.y_pred(a + self.down(self.gelu(self.up(self.norm2(a)))))
