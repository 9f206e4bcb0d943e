"""Group normalization of feature maps and a mean over the places."""

import numpy as np

EPS = 1e-4


def init(rng, N=5, groups=2, per_group=3, H=4, W=6, classes=7):
    C = groups * per_group
    params = {
        "gamma": rng.standard_normal((C, 1, 1)),
        "beta": rng.standard_normal((C, 1, 1)),
        "head": rng.standard_normal((C, classes)),
        "conv": rng.standard_normal((C, C)),
    }
    return params, rng.standard_normal((N, C, H, W)), rng.standard_normal((N, classes))


def forward(params, x, y):
    N, C, H, W = x.shape
    z = np.einsum("oc,nchw->nohw", params["conv"], x)
    grouped = z.reshape(N, 2, C // 2 * H * W)
    mean = grouped.mean(axis=2, keepdims=True)
    inv_std = 1 / np.sqrt(grouped.var(axis=2, keepdims=True) + EPS)
    z_hat = ((grouped - mean) * inv_std).reshape(x.shape)
    act = np.tanh(params["gamma"] * z_hat + params["beta"])
    pooled = act.mean(axis=(2, 3))
    out = pooled @ params["head"]
    loss = np.sum((out - y) ** 2) / N
    return {"z": z, "inv_std": inv_std, "z_hat": z_hat, "act": act, "pooled": pooled} | {
        "out": out,
        "loss": loss,
    }


def backward(params, x, y, values):
    N, C, H, W = x.shape
    z_hat, act, inv_std = values["z_hat"], values["act"], values["inv_std"]
    grad_out = 2 * (values["out"] - y) / N
    grad_head = values["pooled"].T @ grad_out
    grad_pooled = grad_out @ params["head"].T
    grad_act = np.ones_like(act) * grad_pooled[:, :, None, None] / (H * W)
    grad_scaled = grad_act * (1 - act**2)
    grad_gamma = np.sum(grad_scaled * z_hat, axis=(0, 2, 3)).reshape(C, 1, 1)
    grad_beta = np.sum(grad_scaled, axis=(0, 2, 3)).reshape(C, 1, 1)
    grad_z_hat = (grad_scaled * params["gamma"]).reshape(N, 2, -1)
    flat = z_hat.reshape(N, 2, -1)
    M = C // 2 * H * W
    sums = grad_z_hat.sum(axis=2, keepdims=True)
    along = flat * np.sum(grad_z_hat * flat, axis=2, keepdims=True)
    grad_z = (inv_std * (grad_z_hat - sums / M - along / M)).reshape(x.shape)
    grad_conv = np.einsum("nohw,nchw->oc", grad_z, x)
    return {
        "grad_pooled": grad_pooled,
        "grad_act": grad_act,
        "grad_scaled": grad_scaled,
        "grad_z": grad_z,
        "grad_conv": grad_conv,
        "grad_gamma": grad_gamma,
        "grad_beta": grad_beta,
        "grad_head": grad_head,
    }
